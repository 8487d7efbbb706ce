//! The poison policy: a few bad records become dead letters; a flood of them means that this
//! build is wrong, not the records, and stops the role before it drains the backlog.

use std::collections::{HashMap, VecDeque};

/// How many of the last records of a partition the ratio looks at.
const WINDOW: usize = 1000;

/// Judges the rejections of every assigned partition.
#[derive(Debug)]
pub(crate) struct Poison {
    most_in_a_row: u32,
    ratio: f64,
    partitions: HashMap<i32, Recent>,
}

#[derive(Debug, Default)]
struct Recent {
    run: u32,
    window: VecDeque<bool>,
    rejected: usize,
}

/// Too much of a partition was rejected.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error(
    "{rejected} of the last {judged} records of partition {partition} were rejected, most recently: \
     {detail}; nothing was discarded: mend the cause (a wrong deploy?) or raise \
     worker.poison_run and worker.poison_ratio, then start again"
)]
pub(crate) struct Poisoned {
    partition: i32,
    rejected: usize,
    judged: usize,
    detail: String,
}

impl Poison {
    pub(crate) fn new(most_in_a_row: u32, ratio: f64) -> Self {
        Self { most_in_a_row, ratio, partitions: HashMap::new() }
    }

    /// Notes one verdict, with the detail of a rejection.
    pub(crate) fn note(&mut self, partition: i32, rejection: Option<&str>) -> Result<(), Poisoned> {
        let recent = self.partitions.entry(partition).or_default();
        let rejected = rejection.is_some();
        recent.run = if rejected { recent.run + 1 } else { 0 };
        recent.rejected += usize::from(rejected);
        recent.window.push_back(rejected);
        if recent.window.len() > WINDOW && recent.window.pop_front() == Some(true) {
            recent.rejected -= 1;
        }
        let full = recent.window.len() == WINDOW;
        let share = recent.rejected as f64 / recent.window.len() as f64;
        match rejection {
            Some(detail) if recent.run >= self.most_in_a_row || (full && share > self.ratio) => {
                Err(Poisoned {
                    partition,
                    rejected: recent.rejected,
                    judged: recent.window.len(),
                    detail: detail.to_owned(),
                })
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_bad_records_among_good_ones_pass() {
        let mut poison = Poison::new(10, 0.5);
        for i in 0..5000 {
            poison.note(0, (i % 3 == 0).then_some("bad")).unwrap();
        }
    }

    #[test]
    fn a_run_of_rejections_stops_its_partition_but_not_another() {
        let mut poison = Poison::new(3, 1.0);
        for partition in [0, 1] {
            poison.note(partition, Some("bad")).unwrap();
            poison.note(partition, Some("bad")).unwrap();
        }
        poison.note(1, None).unwrap();
        poison.note(1, Some("bad")).unwrap();
        let stopped = poison.note(0, Some("worse")).unwrap_err().to_string();
        assert!(stopped.contains("worse") && stopped.contains("partition 0"), "{stopped}");
    }

    #[test]
    fn a_high_share_stops_only_when_the_window_is_full() {
        let mut poison = Poison::new(u32::MAX, 0.5);
        let bad = |i: usize| (!i.is_multiple_of(3)).then_some("bad");
        let stopped_at = (0..2000).find(|i| poison.note(0, bad(*i)).is_err());
        assert!(stopped_at.is_some_and(|i| (WINDOW - 1..=WINDOW).contains(&i)), "{stopped_at:?}");
    }
}
