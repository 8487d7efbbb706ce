//! `echolot eval cascade`: what a second opinion is worth, by the share of texts that gets one.
//!
//! Both models judge every text. Then the texts that the first one is least sure of, over all languages
//! together, are given the second one's answer: first none of them, in the end all.

use std::process::ExitCode;

use anyhow::bail;
use clap::Args;
use serde_json::json;

use super::{
    Common, data,
    metrics::{Judged, Metric, Sums},
    report::{self, Sheet},
    sentiment::Models,
    sets::{self, SETS},
    speed,
};
use crate::settings::Settings;

#[derive(Debug, Args)]
pub(crate) struct CascadeArgs {
    #[command(flatten)]
    pub(super) common: Common,
    /// Model that judges everything.
    #[arg(long, value_name = "NAME", default_value = "linear")]
    first: String,
    /// Model that is asked again.
    #[arg(long, value_name = "NAME", default_value = "bert")]
    second: String,
}

/// Shares of texts with a second opinion, in percent.
const SHARES: [usize; 8] = [0, 5, 10, 20, 30, 40, 60, 100];

/// The sets of one row of published results, judged by both models.
struct Group {
    name: &'static str,
    metric: Metric,
    sets: Vec<Vec<(Judged, Judged)>>,
}

impl Group {
    /// Below which confidence of the first model the least certain `percent` of all texts lie.
    fn threshold(&self, percent: usize) -> f32 {
        let mut sure: Vec<f32> =
            self.sets.iter().flatten().map(|(first, _)| first.confidence).collect();
        sure.sort_by(f32::total_cmp);
        match sure.get(sure.len() * percent / 100) {
            Some(at) if percent > 0 => *at,
            Some(_) => 0.0,
            None => f32::INFINITY,
        }
    }

    /// Mean over the sets.
    fn quality(&self, below: f32) -> f64 {
        let of = |rows: &Vec<(Judged, Judged)>| {
            let said = rows.iter().map(
                |(first, second)| {
                    if first.confidence < below { second } else { first }
                },
            );
            self.metric.value(&Sums::of(said))
        };
        self.sets.iter().map(of).sum::<f64>() / self.sets.len().max(1) as f64
    }
}

pub(super) fn run(settings: &Settings, args: &CascadeArgs) -> anyhow::Result<ExitCode> {
    if args.first == args.second {
        bail!(
            "--first and --second are both {}; a second opinion needs a second model",
            args.first
        );
    }
    let first = Models::load(settings, &args.first)?;
    let second = Models::load(settings, &args.second)?;
    let folder = data::folder(&args.common.data)?;
    let wanted: [(&'static str, Metric, &[&str]); 2] = [
        (sets::MEAN, Metric::MacroF1, &sets::MEAN_OF),
        ("tweeteval", Metric::MacroRecall, &["tweeteval"]),
    ];
    let mut groups = Vec::new();
    let mut texts = Vec::new();
    for (name, metric, names) in wanted {
        let mut judged = Vec::new();
        for set in SETS.iter().filter(|set| names.contains(&set.name)) {
            let (rows, _) = sets::load(&folder.join(set.file))?;
            judged.push(first.judge(&rows)?.into_iter().zip(second.judge(&rows)?).collect());
            texts.extend(rows.into_iter().map(|row| row.text));
        }
        groups.push(Group { name, metric, sets: judged });
    }
    let speeds =
        [speed::of(&texts, |part| first.score(part)), speed::of(&texts, |part| second.score(part))];
    tell(args, &groups, speeds)?;
    Ok(ExitCode::SUCCESS)
}

fn tell(args: &CascadeArgs, groups: &[Group], [fast, slow]: [f64; 2]) -> anyhow::Result<()> {
    let lead = format!(
        "{} everywhere ({fast:.0} posts/s on one thread), {} for the least certain ({slow:.0} posts/s){}",
        args.first,
        args.second,
        speed::remark()
    );
    let mut sheets = Vec::new();
    let mut curves = Vec::new();
    for group in groups {
        let title = format!("{}, {}", group.name, group.metric.title());
        let header = ["asked again", "below", "quality", "of the gain", "posts/s"];
        let mut sheet = Sheet::new(&title, header);
        let (least, most) = (group.quality(0.0), group.quality(f32::INFINITY));
        for percent in SHARES {
            let below = if percent == 100 { f32::INFINITY } else { group.threshold(percent) };
            let quality = group.quality(below);
            let gain = (quality - least) / (most - least);
            let rate = 1.0 / (1.0 / fast + percent as f64 / 100.0 / slow);
            sheet.rows.push(vec![
                format!("{percent} %"),
                if percent == 100 { "all".to_owned() } else { report::short(below.into()) },
                report::short(quality),
                format!("{:.0} %", 100.0 * gain),
                format!("{rate:.0}"),
            ]);
            curves.push(json!({
                "set": group.name, "metric": group.metric.key(), "share": percent as f64 / 100.0,
                "quality": quality, "gain": gain, "posts_per_second": rate,
            }));
        }
        sheets.push(sheet);
    }
    let json = json!({ "first": args.first, "second": args.second, "curve": curves });
    let Common { json: file, markdown, .. } = &args.common;
    report::write(&lead, &sheets, &json, file.as_deref(), markdown.as_deref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_certain_get_the_second_answer_first() {
        let row = |confidence, right: usize| {
            let first = Judged { gold: right, said: 0, confidence, length: 1 };
            (first, Judged { said: right, ..first })
        };
        let rows = vec![row(0.9, 0), row(0.4, 2), row(0.8, 0), row(0.5, 2)];
        let group = Group { name: "x", metric: Metric::Accuracy, sets: vec![rows] };
        let quality = |percent| group.quality(group.threshold(percent));
        assert!((quality(0) - 0.5).abs() < 1e-9);
        assert!((quality(25) - 0.75).abs() < 1e-9);
        assert!((quality(50) - 1.0).abs() < 1e-9);
    }
}
