//! Simpler rules, and two published detectors, to be held against.

use std::collections::VecDeque;

use statrs::function::erf::erfc;

use super::nab::{NabFile, Scored};
use crate::{Detector, Minute, Rule};

const DAY: i64 = 86_400;
const WEEK_OF_ROWS: usize = 2016;

/// Tail of the normal distribution.
fn tail(z: f64) -> f64 {
    // To four digits, as the published detector divides: its scores are to be reproduced.
    0.5 * erfc(z / (14_142.0 / 10_000.0))
}

/// Windowed Gaussian as NAB holds it: tail probability of the value under mean and deviation of the
/// last `window` values, which slide by `step`.
pub fn windowed_gaussian(file: &NabFile, window: usize, step: usize) -> Scored {
    let mut values: VecDeque<f64> = VecDeque::new();
    let mut waiting: Vec<f64> = Vec::new();
    let (mut mean, mut deviation) = (0.0, 1.0);
    let mut scores = Vec::with_capacity(file.rows.len());
    for (_, value) in &file.rows {
        let score =
            if values.is_empty() { 0.0 } else { 1.0 - tail((value - mean).abs() / deviation) };
        scores.push(score);
        if values.len() < window {
            values.push_back(*value);
        } else {
            waiting.push(*value);
            if waiting.len() < step {
                continue;
            }
            values.drain(..step);
            values.extend(waiting.drain(..));
        }
        let count = values.len() as f64;
        mean = values.iter().sum::<f64>() / count;
        deviation = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / count).sqrt();
        if deviation <= 0.0 {
            deviation = 1e-6;
        }
    }
    Scored { scores, refractory: 0 }
}

/// Relative entropy over windows of 52 values in five bins, several hypotheses, 1 or 0. Source: Wang
/// et al., "Statistical techniques for online anomaly detection in data centers", IM 2011, figure 1;
/// parameters as in NAB.
pub fn relative_entropy(file: &NabFile) -> Scored {
    const BINS: usize = 5;
    const WINDOW: usize = 52;
    // The 99th percentile of chi² with 4 degrees of freedom.
    const LIMIT: f64 = 13.276_704_135_987_622;
    let values = || file.rows.iter().map(|(_, value)| *value);
    let least = values().fold(f64::INFINITY, f64::min);
    let step = (values().fold(f64::NEG_INFINITY, f64::max) - least) / BINS as f64;
    let bins: Vec<usize> = values().map(|value| ((value - least) / step).ceil() as usize).collect();
    let mut hypotheses: Vec<([f64; BINS], u32)> = Vec::new();
    let mut scores = vec![0.0; bins.len()];
    for (end, score) in scores.iter_mut().enumerate().skip(WINDOW - 1) {
        let mut shares = [0.0; BINS];
        for bin in bins.get(end + 1 - WINDOW..=end).unwrap_or_default() {
            // The last bin holds its upper bound as well.
            if let Some(share) = shares.get_mut((*bin).min(BINS - 1)) {
                *share += 1.0 / WINDOW as f64;
            }
        }
        let distance = |known: &[f64; BINS]| -> f64 {
            let term = |(now, then): (&f64, &f64)| {
                if *now > 0.0 { now * (now / then).ln() } else { 0.0 }
            };
            2.0 * WINDOW as f64 * shares.iter().zip(known).map(term).sum::<f64>()
        };
        let nearest = hypotheses
            .iter()
            .enumerate()
            .map(|(index, (known, _))| (distance(known), index))
            .filter(|(distance, _)| *distance < LIMIT)
            .min_by(|a, b| a.0.total_cmp(&b.0));
        if let Some((_, seen)) = nearest.and_then(|(_, index)| hypotheses.get_mut(index)) {
            *seen += 1;
            *score = f64::from(u8::from(*seen <= 1));
        } else {
            *score = f64::from(u8::from(!hypotheses.is_empty()));
            hypotheses.push((shares, 1));
        }
    }
    Scored { scores, refractory: 0 }
}

/// The value itself: a fixed threshold.
pub fn fixed(file: &NabFile) -> Scored {
    Scored { scores: file.rows.iter().map(|(_, value)| *value).collect(), refractory: DAY }
}

/// Standard deviations above the mean of the last seven days.
pub fn mean_sigma(file: &NabFile) -> Scored {
    let mut past: VecDeque<f64> = VecDeque::new();
    let (mut sum, mut squares) = (0.0, 0.0);
    let scores = file
        .rows
        .iter()
        .map(|(_, value)| {
            let count = past.len().max(1) as f64;
            let mean = sum / count;
            let deviation = (squares / count - mean * mean).max(0.25).sqrt();
            let score = if past.len() < 288 { 0.0 } else { (value - mean) / deviation };
            past.push_back(*value);
            sum += value;
            squares += value * value;
            if past.len() > WEEK_OF_ROWS
                && let Some(old) = past.pop_front()
            {
                sum -= old;
                squares -= old * old;
            }
            score
        })
        .collect();
    Scored { scores, refractory: DAY }
}

/// Robust z: distance from the median of seven days in median absolute deviations, which are renewed
/// every hour.
pub fn robust_z(file: &NabFile) -> Scored {
    let values: Vec<f64> = file.rows.iter().map(|(_, value)| *value).collect();
    let (mut median, mut spread) = (0.0, 1.0);
    let scores = values
        .iter()
        .enumerate()
        .map(|(row, value)| {
            if row < 288 {
                return 0.0;
            }
            if row % 12 == 0 {
                let past = values.get(row.saturating_sub(WEEK_OF_ROWS)..row).unwrap_or_default();
                median = middle(past.to_vec());
                let away = past.iter().map(|value| (value - median).abs()).collect();
                spread = (1.4826 * middle(away)).max(0.5);
            }
            (value - median) / spread
        })
        .collect();
    Scored { scores, refractory: DAY }
}

fn middle(mut values: Vec<f64>) -> f64 {
    let half = values.len() / 2;
    if values.is_empty() {
        return 0.0;
    }
    *values.select_nth_unstable_by(half, f64::total_cmp).1
}

/// The `PromQL` rule of `docker/prometheus`: the mean of an hour against that of the hours of
/// the week before, in their deviations.
pub fn promql(file: &NabFile) -> Scored {
    let values: Vec<f64> = file.rows.iter().map(|(_, value)| *value).collect();
    let mut hourly: Vec<f64> = Vec::with_capacity(values.len());
    let mut sum = 0.0;
    for (row, value) in values.iter().enumerate() {
        sum += value
            - row.checked_sub(12).and_then(|old| values.get(old)).copied().unwrap_or_default();
        hourly.push(sum / 12.0);
    }
    let scores = (0..values.len())
        .map(|row| {
            let past = hourly.get(row.saturating_sub(WEEK_OF_ROWS)..row).unwrap_or_default();
            if past.len() < 288 {
                return 0.0;
            }
            let mean = past.iter().sum::<f64>() / past.len() as f64;
            let square = past.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / past.len() as f64;
            let now = hourly.get(row).copied().unwrap_or_default();
            (now - mean) / square.sqrt().max(0.5)
        })
        .collect();
    Scored { scores, refractory: DAY }
}

/// This crate's detector on plain counts: how surprising the least likely of some windows is.
pub fn ours(file: &NabFile, windows: &[usize]) -> Scored {
    let rule = Rule { warmup_hours: 0, ..Rule::default() };
    let mut detector = Detector::new(rule, jiff::tz::TimeZone::UTC);
    let scores = file
        .rows
        .iter()
        .map(|(at, value)| {
            let minute = Minute { mentions: *value as u32, ..Minute::quiet(at.div_euclid(60)) };
            detector.observe(&minute);
            windows.iter().map(|window| detector.surprise(*window)).fold(0.0, f64::max)
        })
        .collect();
    Scored { scores, refractory: DAY }
}
