//! The field's measures of a three-class classifier with probabilities.

use echolot_schemas::enriched::Distribution;

/// Classes: negative, neutral, positive.
pub(super) const CLASSES: usize = 3;
/// Bins of confidence (Guo et al. 2017, *On Calibration of Modern Neural Networks*).
pub(super) const BINS: usize = 10;

/// A row with its gold label and what a model said.
#[derive(Clone, Copy, Debug)]
pub(super) struct Judged {
    /// Index in `Polarity::ALL`.
    pub(super) gold: usize,
    pub(super) said: usize,
    /// Probability of `said`.
    pub(super) confidence: f32,
    /// Characters of the text.
    pub(super) length: usize,
}

impl Judged {
    /// Among all three classes.
    pub(super) fn new(gold: usize, distribution: &Distribution, length: usize) -> Self {
        let said = distribution.polarity() as usize;
        let shares = [distribution.negative, distribution.neutral, distribution.positive];
        Self { gold, said, confidence: shares[said], length }
    }

    /// Between negative and positive, for sets that have no neutral texts.
    pub(super) fn polar(gold: usize, distribution: &Distribution, length: usize) -> Self {
        let Distribution { negative, positive, .. } = *distribution;
        let all = (negative + positive).max(f32::MIN_POSITIVE);
        let said = if positive > negative { 2 } else { 0 };
        Self { gold, said, confidence: negative.max(positive) / all, length }
    }
}

/// Sums over judged rows: all that the measures need.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sums {
    /// By gold and said.
    pub(super) confusion: [[u32; CLASSES]; CLASSES],
    /// By confidence: texts, sum of confidence, right ones.
    pub(super) bins: [(u32, f64, u32); BINS],
}

impl Sums {
    pub(super) fn of<'a>(rows: impl IntoIterator<Item = &'a Judged>) -> Self {
        let mut sums = Self::default();
        for row in rows {
            sums.add(row);
        }
        sums
    }

    pub(super) fn add(&mut self, row: &Judged) {
        self.confusion[row.gold][row.said] += 1;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 10")]
        let bin = &mut self.bins[((row.confidence * BINS as f32) as usize).min(BINS - 1)];
        bin.0 += 1;
        bin.1 += f64::from(row.confidence);
        bin.2 += u32::from(row.gold == row.said);
    }

    pub(super) fn texts(&self) -> u32 {
        self.confusion.iter().flatten().sum()
    }
}

/// A measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, clap::ValueEnum)]
pub(super) enum Metric {
    /// Mean F1 of the classes that have texts: UMSAB, `SB10k`.
    MacroF1,
    /// Mean recall of the classes that have texts: `TweetEval`.
    MacroRecall,
    /// Share of right answers; with one label a text, this is micro-F1 too.
    Accuracy,
    /// Micro-averaged F1.
    MicroF1,
    /// Expected calibration error over ten bins of confidence; small is good.
    Ece,
}

impl Metric {
    pub(super) const ALL: [Self; 5] =
        [Self::MacroF1, Self::MacroRecall, Self::Accuracy, Self::MicroF1, Self::Ece];

    /// Its name in JSON.
    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::MacroF1 => "macro_f1",
            Self::MacroRecall => "macro_recall",
            Self::Accuracy => "accuracy",
            Self::MicroF1 => "micro_f1",
            Self::Ece => "ece",
        }
    }

    /// Its name in tables.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::MacroF1 => "macro-F1",
            Self::MacroRecall => "macro recall",
            Self::Accuracy => "accuracy",
            Self::MicroF1 => "micro-F1",
            Self::Ece => "ECE",
        }
    }

    /// Its value, 0 to 1.
    pub(super) fn value(self, sums: &Sums) -> f64 {
        let texts = f64::from(sums.texts().max(1));
        match self {
            Self::MacroF1 => mean_of_classes(sums, |hits, gold, said| 2.0 * hits / (gold + said)),
            Self::MacroRecall => mean_of_classes(sums, |hits, gold, _| hits / gold),
            // One label and one answer a text: false positives and false negatives are as many.
            Self::Accuracy | Self::MicroF1 => {
                f64::from((0..CLASSES).map(|class| sums.confusion[class][class]).sum::<u32>())
                    / texts
            }
            Self::Ece => {
                sums.bins
                    .iter()
                    .map(|(_, confidence, right)| (confidence - f64::from(*right)).abs())
                    .sum::<f64>()
                    / texts
            }
        }
    }
}

/// Mean over the classes that have texts of a function of hits, gold and said counts.
fn mean_of_classes(sums: &Sums, score: impl Fn(f64, f64, f64) -> f64) -> f64 {
    let mut total = (0.0, 0.0);
    for class in 0..CLASSES {
        let gold: u32 = sums.confusion[class].iter().sum();
        let said: u32 = sums.confusion.iter().map(|row| row[class]).sum();
        if gold > 0 {
            let hits = f64::from(sums.confusion[class][class]);
            total.0 += score(hits, f64::from(gold), f64::from(said));
            total.1 += 1.0;
        }
    }
    total.0 / f64::max(total.1, 1.0)
}

/// Accuracy among the surest share of the texts, for 10 %, 20 % … 100 % of them.
pub(super) fn coverage(rows: &[Judged]) -> Vec<(f64, f64)> {
    let mut order: Vec<&Judged> = rows.iter().collect();
    order.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    (1..=10)
        .map(|tenth| {
            let surest = &order[..order.len() * tenth / 10];
            let right = surest.iter().filter(|row| row.gold == row.said).count();
            (tenth as f64 / 10.0, right as f64 / surest.len().max(1) as f64)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(gold: usize, said: usize, confidence: f32) -> Judged {
        Judged { gold, said, confidence, length: 10 }
    }

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-6
    }

    #[test]
    fn measures_agree_with_values_worked_out_by_hand() {
        let rows = [row(0, 0, 0.9), row(0, 1, 0.6), row(1, 1, 0.7), row(2, 2, 0.8), row(2, 0, 0.5)];
        let sums = Sums::of(&rows);
        assert!(close(Metric::Accuracy.value(&sums), 0.6));
        assert!(close(Metric::MicroF1.value(&sums), 0.6));
        assert!(close(Metric::MacroRecall.value(&sums), (0.5 + 1.0 + 0.5) / 3.0));
        // F1: negative 2·1/(2+2), neutral 2·1/(1+2), positive 2·1/(2+1).
        assert!(close(Metric::MacroF1.value(&sums), (0.5 + 2.0 / 3.0 + 2.0 / 3.0) / 3.0));
        // Every row is alone in its bin: |.9-1| + |.6-0| + |.7-1| + |.8-1| + |.5-0|.
        assert!(close(Metric::Ece.value(&sums), 1.7 / 5.0));
    }

    #[test]
    fn a_class_without_texts_does_not_count() {
        let sums = Sums::of(&[row(0, 0, 0.9), row(2, 2, 0.9), row(2, 0, 0.9)]);
        assert!(close(Metric::MacroRecall.value(&sums), 0.75));
    }

    #[test]
    fn coverage_takes_the_surest_first() {
        let rows: Vec<Judged> =
            (0..10_u8).map(|at| row(0, usize::from(at < 5), 0.1 * f32::from(at))).collect();
        let curve = coverage(&rows);
        assert!(close(curve[4].1, 1.0) && close(curve[9].1, 0.5));
    }

    #[test]
    fn a_set_without_neutrals_is_judged_between_the_two_others() {
        let distribution = Distribution { negative: 0.2, neutral: 0.5, positive: 0.3 };
        let judged = Judged::polar(2, &distribution, 5);
        assert_eq!(judged.said, 2);
        assert!((judged.confidence - 0.6).abs() < 1e-6);
    }
}
