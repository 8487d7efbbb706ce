//! The consumer's desk: everything delivered and not yet settled, for one assignment at a time.

use std::{
    collections::BTreeMap,
    sync::mpsc::{Receiver, RecvTimeoutError},
    time::{Duration, Instant},
};

use echolot_schemas::{RawPosition, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::{delivery::Delivery, ledger::Ledger, settings::WorkerSettings};

/// The right to work on a set of partitions. Cancelled when they are taken away.
#[derive(Clone, Debug)]
pub(crate) struct Lease {
    pub(crate) epoch: u64,
    pub(crate) ended: CancellationToken,
}

/// Work for the stage.
#[derive(Debug)]
pub(crate) struct Batch<E> {
    pub(crate) lease: Lease,
    /// The partitions owned, with the first batch of an assignment.
    pub(crate) assigned: Option<Vec<i32>>,
    pub(crate) deliveries: Vec<Delivery<E>>,
}

impl<E> Batch<E> {
    pub(crate) fn load(&self) -> Load {
        let bytes = self.deliveries.iter().map(|delivery| delivery.payload.len()).sum();
        Load { rows: self.deliveries.len(), bytes }
    }
}

/// How much memory deliveries take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Load {
    pub(crate) rows: usize,
    pub(crate) bytes: usize,
}

impl std::ops::AddAssign for Load {
    fn add_assign(&mut self, other: Self) {
        self.rows += other.rows;
        self.bytes += other.bytes;
    }
}

/// What became of batches handed on.
#[derive(Debug)]
pub(crate) struct Progress {
    pub(crate) epoch: u64,
    pub(crate) step: Step,
}

#[derive(Debug)]
pub(crate) enum Step {
    /// A batch is judged and out of memory, yet not all of its effects are complete.
    Judged(Load),
    /// Everything about these took effect. `judged` of them was told of before.
    Settled { positions: Vec<RawPosition>, judged: Load },
}

#[derive(Debug)]
pub(crate) struct Desk<E> {
    settings: WorkerSettings,
    progress: Receiver<Progress>,
    lease: Lease,
    announced: bool,
    ledgers: BTreeMap<i32, Ledger>,
    buffer: Vec<Delivery<E>>,
    buffer_bytes: usize,
    buffer_since: Option<Instant>,
    handed_on: usize,
    judged: Load,
}

impl<E> Desk<E> {
    pub(crate) fn new(settings: WorkerSettings, progress: Receiver<Progress>) -> Self {
        Self {
            settings,
            progress,
            lease: Lease { epoch: 0, ended: CancellationToken::new() },
            announced: true,
            ledgers: BTreeMap::new(),
            buffer: Vec::new(),
            buffer_bytes: 0,
            buffer_since: None,
            handed_on: 0,
            judged: Load::default(),
        }
    }

    /// These partitions are ours from now on.
    pub(crate) fn assign(&mut self, partitions: impl Iterator<Item = i32>) {
        self.release();
        self.ledgers = partitions.map(|partition| (partition, Ledger::default())).collect();
        self.announced = false;
    }

    /// All partitions are gone: what is not settled will be delivered again, maybe elsewhere.
    pub(crate) fn release(&mut self) {
        self.lease.ended.cancel();
        self.lease = Lease { epoch: self.lease.epoch + 1, ended: CancellationToken::new() };
        self.ledgers.clear();
        self.handed_on = 0;
        self.judged = Load::default();
        self.forget_buffer();
    }

    /// Throws away what was read but not handed on. It stays charged, so it is never committed.
    pub(crate) fn forget_buffer(&mut self) {
        self.buffer.clear();
        self.buffer_bytes = 0;
        self.buffer_since = None;
    }

    /// Takes a delivery in. One for a partition that is not ours, or seen before, is dropped: its
    /// owner, or its first delivery, takes care of it.
    pub(crate) fn take(&mut self, delivery: Delivery<E>) {
        let bytes = delivery.payload.len();
        let RawPosition { partition, offset } = delivery.position;
        let ours = self.ledgers.get_mut(&partition);
        if ours.is_some_and(|ledger| ledger.charge(offset, bytes, delivery.written_at)) {
            self.buffer_since.get_or_insert_with(Instant::now);
            self.buffer_bytes += bytes;
            self.buffer.push(delivery);
        }
    }

    /// True when the buffer holds a whole batch.
    pub(crate) fn is_full(&self) -> bool {
        self.buffer.len() >= self.settings.batch_rows
            || self.buffer_bytes as u64 >= self.settings.batch_bytes.as_u64()
    }

    /// How long until the buffered deliveries go on even though no whole batch has gathered; `None`
    /// when nothing is buffered.
    pub(crate) fn due_in(&self) -> Option<Duration> {
        self.buffer_since.map(|since| self.settings.linger.saturating_sub(since.elapsed()))
    }

    /// The buffered deliveries as a batch.
    pub(crate) fn batch(&mut self) -> Batch<E> {
        self.buffer_since = None;
        self.buffer_bytes = 0;
        let capacity = self.buffer.len();
        self.handed_on += capacity;
        let assigned = (!self.announced).then(|| self.ledgers.keys().copied().collect());
        self.announced = true;
        Batch {
            lease: self.lease.clone(),
            assigned,
            deliveries: std::mem::replace(&mut self.buffer, Vec::with_capacity(capacity)),
        }
    }

    /// Enters what was settled meanwhile; waits up to `patience` for the first of it. False when
    /// the other end is gone.
    pub(crate) fn settle(&mut self, patience: Duration) -> bool {
        match self.progress.recv_timeout(patience) {
            Ok(progress) => self.enter(progress),
            Err(RecvTimeoutError::Timeout) => return true,
            Err(RecvTimeoutError::Disconnected) => return false,
        }
        while let Ok(progress) = self.progress.try_recv() {
            self.enter(progress);
        }
        true
    }

    fn enter(&mut self, progress: Progress) {
        if progress.epoch != self.lease.epoch {
            return;
        }
        let (positions, judged) = match progress.step {
            Step::Judged(load) => {
                self.judged += load;
                return;
            }
            Step::Settled { positions, judged } => (positions, judged),
        };
        self.judged.rows -= judged.rows;
        self.judged.bytes -= judged.bytes;
        self.handed_on -= positions.len();
        for RawPosition { partition, offset } in positions {
            if let Some(ledger) = self.ledgers.get_mut(&partition) {
                ledger.settle(offset);
            }
        }
    }

    /// Partitions and the offsets to commit for them, where they moved.
    pub(crate) fn take_moved(&mut self) -> Vec<(i32, i64)> {
        let mut moved = Vec::new();
        for (partition, ledger) in &mut self.ledgers {
            if let Some(frontier) = ledger.to_commit() {
                moved.push((*partition, frontier));
                ledger.mark_committed();
            }
        }
        moved
    }

    /// Every partition that has a frontier, committed or not: for the last, certain commit.
    pub(crate) fn frontiers(&self) -> Vec<(i32, i64)> {
        let frontier =
            |(partition, ledger): (&i32, &Ledger)| Some((*partition, ledger.frontier()?));
        self.ledgers.iter().filter_map(frontier).collect()
    }

    /// Deliveries charged and not judged, buffered ones among them: those that take memory.
    pub(crate) fn in_flight_rows(&self) -> usize {
        self.ledgers.values().map(Ledger::unsettled).sum::<usize>() - self.judged.rows
    }

    /// Their payload bytes.
    pub(crate) fn in_flight_bytes(&self) -> usize {
        self.ledgers.values().map(Ledger::bytes).sum::<usize>() - self.judged.bytes
    }

    /// Deliveries handed to the stage and not settled.
    pub(crate) fn handed_on(&self) -> usize {
        self.handed_on
    }

    /// The budget is spent: no more is read until something is judged.
    pub(crate) fn is_over_budget(&self) -> bool {
        self.in_flight_rows() >= self.settings.in_flight_rows
            || self.in_flight_bytes() as u64 >= self.settings.in_flight_bytes.as_u64()
    }

    /// Age of the oldest record not settled. With nothing in flight, yet `more` on the topic, the
    /// last settled record tells at least how far behind the stage is.
    pub(crate) fn seconds_behind(&self, more: bool, now: Timestamp) -> f64 {
        let oldest = self.ledgers.values().filter_map(|ledger| ledger.oldest(more)).min();
        oldest.map_or(0.0, |at| now.seconds_since(at).max(0.0))
    }

    /// How long a drain may take.
    pub(crate) fn patience(&self) -> Duration {
        self.settings.drain
    }

    /// Partitions owned.
    pub(crate) fn partitions(&self) -> usize {
        self.ledgers.len()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};

    use super::*;
    use crate::testing::{delivery, worker_settings};

    fn desk() -> (Desk<()>, Sender<Progress>) {
        let (tell, progress) = channel();
        let mut desk = Desk::new(worker_settings(), progress);
        desk.assign([0, 1].into_iter());
        (desk, tell)
    }

    fn settled(batch: &Batch<()>, judged: Load) -> Progress {
        let positions = batch.deliveries.iter().map(|delivery| delivery.position).collect();
        Progress { epoch: batch.lease.epoch, step: Step::Settled { positions, judged } }
    }

    #[test]
    fn what_was_read_but_not_handed_on_is_never_committed() {
        let (mut desk, tell) = desk();
        desk.take(delivery(0, 7));
        let batch = desk.batch();
        desk.take(delivery(0, 8));
        desk.forget_buffer();
        tell.send(settled(&batch, Load::default())).unwrap();
        assert!(desk.settle(Duration::ZERO));
        assert_eq!((desk.handed_on(), desk.take_moved()), (0, vec![(0, 8)]));
    }

    #[test]
    fn a_settlement_of_a_former_assignment_moves_nothing() {
        let (mut desk, tell) = desk();
        desk.take(delivery(0, 7));
        let batch = desk.batch();
        desk.assign([0].into_iter());
        assert!(batch.lease.ended.is_cancelled());
        tell.send(settled(&batch, Load::default())).unwrap();
        assert!(desk.settle(Duration::ZERO));
        assert!(desk.take_moved().is_empty());
    }

    #[test]
    fn a_delivery_for_a_partition_that_is_not_ours_is_left_to_its_owner() {
        let (mut desk, _settle) = desk();
        desk.take(delivery(9, 1));
        assert_eq!((desk.in_flight_rows(), desk.due_in()), (0, None));
    }

    #[test]
    fn the_first_batch_of_an_assignment_names_its_partitions_and_no_later_one_does() {
        let (mut desk, _settle) = desk();
        assert_eq!(desk.batch().assigned, Some(vec![0, 1]));
        assert_eq!(desk.batch().assigned, None);
    }

    #[test]
    fn what_is_judged_makes_room_and_is_committed_only_once_settled() {
        let (mut desk, tell) = desk();
        let budget = i64::try_from(worker_settings().in_flight_rows).unwrap();
        (0..budget).for_each(|offset| desk.take(delivery(0, offset)));
        let batch = desk.batch();
        let (epoch, load) = (batch.lease.epoch, batch.load());
        tell.send(Progress { epoch, step: Step::Judged(load) }).unwrap();
        assert!(desk.settle(Duration::ZERO));
        assert!(!desk.is_over_budget());
        assert_eq!((desk.in_flight_bytes(), desk.handed_on()), (0, load.rows));
        assert!(desk.take_moved().is_empty());
        tell.send(settled(&batch, load)).unwrap();
        assert!(desk.settle(Duration::ZERO));
        assert_eq!((desk.in_flight_rows(), desk.handed_on()), (0, 0));
        assert_eq!(desk.take_moved(), vec![(0, budget)]);
    }

    #[test]
    fn the_budget_counts_what_is_buffered_and_what_is_handed_on() {
        let (mut desk, _settle) = desk();
        let budget = i64::try_from(worker_settings().in_flight_rows).unwrap();
        for offset in 0..budget {
            assert!(!desk.is_over_budget());
            desk.take(delivery(0, offset));
            if offset == budget / 2 {
                desk.batch();
            }
        }
        assert!(desk.is_over_budget());
    }
}
