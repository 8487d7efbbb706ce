//! Numenta Anomaly Benchmark: its files and its standard profile.
//!
//! Source: Lavin, Ahmad, "Evaluating real-time anomaly detection algorithms: the Numenta Anomaly
//! Benchmark", ICMLA 2015, section III.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

/// Weight of a false positive in the standard profile.
const FALSE_POSITIVE: f64 = 0.11;
/// Share of a file in which nothing is judged, and of how many rows at most.
const PROBATION: (f64, usize) = (0.15, 5000);

/// One file of the benchmark.
#[derive(Clone, Debug)]
pub struct NabFile {
    /// Its name.
    pub name: String,
    /// Seconds since 1970 and value, in order.
    pub rows: Vec<(i64, f64)>,
    /// First and last row of each anomaly window.
    pub windows: Vec<(usize, usize)>,
}

/// A folder that is not in the benchmark's layout.
#[derive(Debug, thiserror::Error)]
pub enum NabError {
    /// A file that cannot be read.
    #[error("cannot read {}: {error}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A line that is no row.
    #[error("{}:{line}: must be `YYYY-MM-DD hh:mm:ss,NUMBER`", path.display())]
    Row {
        /// Which file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
    },
    /// Labels that cannot be read.
    #[error("{}: {detail}", path.display())]
    Labels {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// No file at all.
    #[error("{}: holds no labelled CSV file", .0.display())]
    Empty(PathBuf),
}

/// Reads a folder: either the benchmark itself (`labels/combined_windows.json`, `data/…`), or CSV
/// files beside an `anomaly_windows.json` with the same content.
pub fn read(folder: &Path) -> Result<Vec<NabFile>, NabError> {
    let whole = folder.join("labels/combined_windows.json");
    let is_whole = whole.exists();
    let labels = if is_whole { whole } else { folder.join("anomaly_windows.json") };
    let text = text_of(&labels)?;
    let windows: BTreeMap<String, Vec<(String, String)>> = serde_json::from_str(&text)
        .map_err(|error| NabError::Labels { path: labels.clone(), detail: error.to_string() })?;
    let mut files = Vec::new();
    for (key, windows) in windows {
        let name = key.rsplit('/').next().unwrap_or(&key);
        let path = if is_whole { folder.join("data").join(&key) } else { folder.join(name) };
        if path.exists() {
            files.push(file(name, &path, &windows)?);
        }
    }
    if files.is_empty() { Err(NabError::Empty(folder.to_owned())) } else { Ok(files) }
}

fn text_of(path: &Path) -> Result<String, NabError> {
    fs::read_to_string(path).map_err(|error| NabError::Read { path: path.to_owned(), error })
}

fn seconds(text: &str) -> Option<i64> {
    let whole = text.split('.').next()?;
    let time: jiff::civil::DateTime = whole.trim().parse().ok()?;
    Some(jiff::tz::TimeZone::UTC.to_timestamp(time).ok()?.as_second())
}

fn file(name: &str, path: &Path, labels: &[(String, String)]) -> Result<NabFile, NabError> {
    let text = text_of(path)?;
    let mut rows = Vec::new();
    for (index, line) in text.lines().enumerate().skip(1) {
        let row = line.split_once(',').and_then(|(at, value)| {
            let value: f64 = value.trim().parse().ok()?;
            Some((seconds(at)?, value)).filter(|_| value.is_finite())
        });
        rows.push(row.ok_or_else(|| NabError::Row { path: path.to_owned(), line: index + 1 })?);
    }
    let mut windows = Vec::new();
    for (from, to) in labels {
        let (Some(from), Some(to)) = (seconds(from), seconds(to)) else {
            let detail = format!("{from} to {to} is no window");
            return Err(NabError::Labels { path: path.to_owned(), detail });
        };
        let first = rows.partition_point(|(at, _)| *at < from);
        let after = rows.partition_point(|(at, _)| *at <= to);
        if after > first {
            windows.push((first, after - 1));
        }
    }
    Ok(NabFile { name: name.to_owned(), rows, windows })
}

/// 1 far ahead of the end of a window, 0 at it, towards -1 behind.
fn scaled(position: f64) -> f64 {
    if position > 3.0 { -1.0 } else { 2.0 / (1.0 + (5.0 * position).exp()) - 1.0 }
}

impl NabFile {
    /// Rows that are not judged.
    pub fn probation(&self) -> usize {
        let (share, most) = PROBATION;
        (share * self.rows.len().min(most) as f64) as usize
    }

    /// Score of detections, one for each row, under the standard profile: a window that is found
    /// gives up to 1, by how early; one that is missed takes 1; every detection outside takes up to
    /// 0.11, by how far behind a window.
    pub fn score(&self, detections: impl IntoIterator<Item = usize>) -> f64 {
        let mut found: Vec<Option<f64>> = vec![None; self.windows.len()];
        let mut wrong = 0.0;
        for row in detections.into_iter().filter(|row| *row >= self.probation()) {
            let within =
                self.windows.iter().position(|(first, last)| (*first..=*last).contains(&row));
            if let Some(index) = within {
                let (Some(slot), Some((first, last))) =
                    (found.get_mut(index), self.windows.get(index))
                else {
                    continue;
                };
                let length = (last - first + 1) as f64;
                let gain = scaled(-((last - row + 1) as f64) / length) / scaled(-1.0);
                *slot = Some(slot.map_or(gain, |best| best.max(gain)));
            } else {
                let before = self.windows.iter().rfind(|(_, last)| *last < row);
                wrong += before.map_or(-1.0, |(first, last)| {
                    scaled((row - last) as f64 / ((last - first) as f64))
                });
            }
        }
        found.iter().map(|gain| gain.unwrap_or(-1.0)).sum::<f64>() + wrong * FALSE_POSITIVE
    }
}

/// 0 is what saying nothing gets, 100 what a perfect detector gets. Source: ibid., section III.D.
pub fn normalised(raw: f64, windows: usize) -> f64 {
    let windows = windows as f64;
    100.0 * (raw + windows) / (2.0 * windows)
}

/// A detector's scores for one file, one for each row, from which a threshold makes detections.
#[derive(Clone, Debug)]
pub struct Scored {
    /// By row; the higher the stranger.
    pub scores: Vec<f64>,
    /// Seconds after a detection in which there is no other.
    pub refractory: i64,
}

impl Scored {
    /// Rows at or above the threshold.
    pub fn detections(&self, file: &NabFile, threshold: f64) -> Vec<usize> {
        let mut last: Option<i64> = None;
        let rows = self.scores.iter().zip(&file.rows).enumerate();
        rows.filter_map(|(row, (score, (at, _)))| {
            let free = last.is_none_or(|last| at - last > self.refractory);
            let fires = *score >= threshold && free && row >= file.probation();
            if fires && self.refractory > 0 {
                last = Some(*at);
            }
            fires.then_some(row)
        })
        .collect()
    }
}

/// Result of leaving each file out once.
#[derive(Clone, Debug, PartialEq)]
pub struct LeaveOneOut {
    /// Normalised score over all files, each under a threshold that never saw it.
    pub score: f64,
    /// File, threshold chosen on the others, raw score.
    pub files: Vec<(String, f64, f64)>,
}

/// Chooses a threshold for each file on all others, and so the variant, where a detector has several:
/// each holds scores of every file.
pub fn leave_one_out(files: &[NabFile], variants: &[Vec<Scored>]) -> LeaveOneOut {
    let choices: Vec<(&Vec<Scored>, f64)> = variants
        .iter()
        .flat_map(|scored| candidates(files, scored).into_iter().map(move |at| (scored, at)))
        .collect();
    let table: Vec<Vec<f64>> = files
        .iter()
        .enumerate()
        .map(|(index, file)| {
            let score = |(scored, threshold): &(&Vec<Scored>, f64)| {
                let detections = scored.get(index).map(|by| by.detections(file, *threshold));
                file.score(detections.unwrap_or_default())
            };
            choices.iter().map(score).collect()
        })
        .collect();
    let mut results = Vec::new();
    for (held_out, file) in files.iter().enumerate() {
        let others = |candidate: usize| -> f64 {
            let raw = |(index, row): (usize, &Vec<f64>)| {
                if index == held_out {
                    0.0
                } else {
                    row.get(candidate).copied().unwrap_or_default()
                }
            };
            table.iter().enumerate().map(raw).sum()
        };
        let totals: Vec<f64> = (0..choices.len()).map(others).collect();
        // The middle of the best ones: the least chosen by accident.
        let most = totals.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let ties: Vec<usize> = (0..totals.len())
            .filter(|index| totals.get(*index).is_some_and(|total| *total >= most - 1e-9))
            .collect();
        let chosen = ties.get(ties.len() / 2).copied().unwrap_or_default();
        let threshold = choices.get(chosen).map_or(f64::INFINITY, |(_, threshold)| *threshold);
        let raw = table.get(held_out).and_then(|row| row.get(chosen)).copied().unwrap_or_default();
        results.push((file.name.clone(), threshold, raw));
    }
    let windows = files.iter().map(|file| file.windows.len()).sum();
    let raw = results.iter().map(|(_, _, raw)| raw).sum();
    LeaveOneOut { score: normalised(raw, windows), files: results }
}

/// A few hundred thresholds, densest where scores are highest.
fn candidates(files: &[NabFile], scored: &[Scored]) -> Vec<f64> {
    let mut scores: Vec<f64> = files
        .iter()
        .zip(scored)
        .flat_map(|(file, scored)| scored.scores.iter().copied().skip(file.probation()))
        .filter(|score| *score > 0.0)
        .collect();
    scores.sort_by(|a, b| b.total_cmp(a));
    let mut chosen: Vec<f64> = Vec::new();
    let mut index = 0_usize;
    while let Some(score) = scores.get(index) {
        if chosen.last().is_none_or(|last| last > score) {
            chosen.push(*score);
        }
        index += 1 + index / 40;
    }
    chosen.push(f64::INFINITY);
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> NabFile {
        let rows = (0..1000).map(|row| (row * 300, 1.0)).collect();
        NabFile { name: "x".to_owned(), rows, windows: vec![(400, 499), (800, 899)] }
    }

    #[test]
    fn silence_scores_0_and_the_first_row_of_every_window_100() {
        let file = file();
        assert!(normalised(file.score([]), 2).abs() < 1e-9);
        assert!((normalised(file.score([400, 800]), 2) - 100.0).abs() < 1e-9);
    }

    #[test]
    fn a_false_alarm_far_from_a_window_costs_its_weight_and_probation_is_free() {
        let file = file();
        assert!((file.score([400, 800, 300]) - (2.0 - 0.11)).abs() < 1e-9);
        assert!((file.score([400, 800, 100]) - 2.0).abs() < 1e-9);
        // Just behind a window it costs nearly nothing.
        assert!(file.score([400, 800, 500]) > 1.99);
    }

    #[test]
    fn later_in_a_window_is_worth_less() {
        let file = file();
        assert!(file.score([450]) < file.score([401]) && file.score([499]) > file.score([]));
    }
}
