//! Gets a verdict for every item of a batch, whatever it takes: transient faults are waited out,
//! and a batch that is refused is halved until the culprit stands alone.

use echolot_schemas::dead_letter::Reason;

use crate::{
    health::Health,
    metrics::StageMetrics,
    retry::Backoff,
    stage::{Fault, Item, Rejection, Stage, Verdict},
};

/// A fault that no retry mends.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Verdictless {
    #[error("{0}")]
    Fatal(String),
    #[error("the stage gave {given} verdicts for {items} items: a defect of the stage")]
    Miscounted { given: usize, items: usize },
}

/// Asks a stage, and does not let go.
pub(crate) struct Judge<'a, S> {
    pub(crate) stage: &'a mut S,
    pub(crate) health: &'a Health,
    pub(crate) metrics: &'a StageMetrics,
}

impl<S: Stage> Judge<'_, S> {
    /// One verdict for each item, in order.
    pub(crate) async fn verdicts(
        &mut self,
        items: &[Item<S::Input>],
    ) -> Result<Vec<Verdict<S::Output>>, Verdictless> {
        let mut verdicts = Vec::with_capacity(items.len());
        // A stack of what is still to be judged, the first on top.
        let mut open = vec![items];
        while let Some(part) = open.pop() {
            match (self.patiently(part).await?, part) {
                (Ok(mut given), _) => verdicts.append(&mut given),
                (Err(detail), [_]) => verdicts
                    .push(Verdict::Reject(Rejection { reason: Reason::RefusedByStore, detail })),
                (Err(_), _) => {
                    let (first, second) = part.split_at(part.len() / 2);
                    open.push(second);
                    open.push(first);
                }
            }
        }
        Ok(verdicts)
    }

    /// Verdicts, or why the part as a whole was refused.
    async fn patiently(
        &mut self,
        part: &[Item<S::Input>],
    ) -> Result<Result<Vec<Verdict<S::Output>>, String>, Verdictless> {
        if part.is_empty() {
            return Ok(Ok(Vec::new()));
        }
        let mut backoff = Backoff::default();
        loop {
            match self.stage.judge(part).await {
                Ok(given) if given.len() == part.len() => {
                    if backoff.failures() > 0 {
                        self.health.ready();
                        tracing::info!(stage = self.stage.name(), "works again");
                    }
                    return Ok(Ok(given));
                }
                Ok(given) => {
                    return Err(Verdictless::Miscounted { given: given.len(), items: part.len() });
                }
                Err(Fault::Refused(detail)) => return Ok(Err(detail)),
                Err(Fault::Fatal(detail)) => return Err(Verdictless::Fatal(detail)),
                Err(Fault::Transient(detail)) => self.wait(&mut backoff, &detail).await,
            }
        }
    }

    /// Tells the stage its partitions, as patiently.
    pub(crate) async fn assigned(&mut self, partitions: &[i32]) -> Result<(), Verdictless> {
        let mut backoff = Backoff::default();
        while let Err(fault) = self.stage.assigned(partitions).await {
            self.outlast(&mut backoff, fault).await?;
        }
        Ok(())
    }

    /// Has the stage complete what it judged, as patiently.
    pub(crate) async fn complete(&mut self) -> Result<(), Verdictless> {
        let mut backoff = Backoff::default();
        while let Err(fault) = self.stage.complete().await {
            self.outlast(&mut backoff, fault).await?;
        }
        if backoff.failures() > 0 {
            self.health.ready();
        }
        Ok(())
    }

    /// Waits a fault out that is about no batch, so that none can be halved.
    async fn outlast(&self, backoff: &mut Backoff, fault: Fault) -> Result<(), Verdictless> {
        match fault {
            Fault::Transient(detail) => {
                self.wait(backoff, &detail).await;
                Ok(())
            }
            Fault::Refused(detail) | Fault::Fatal(detail) => Err(Verdictless::Fatal(detail)),
        }
    }

    async fn wait(&self, backoff: &mut Backoff, detail: &str) {
        self.metrics.retries.inc();
        if self.health.not_ready(detail) {
            tracing::warn!(stage = self.stage.name(), "waiting: {detail}");
        }
        tokio::time::sleep(backoff.next_pause()).await;
    }
}

#[cfg(test)]
mod tests {
    use echolot_schemas::RawEvent;

    use super::*;
    use crate::{
        health::HealthBoard,
        metrics::WorkerMetrics,
        stage::Dropped,
        testing::{deleted, item},
    };

    /// Refuses every batch with an offset of `poison` in it, after failing `transient` times.
    struct Picky {
        poison: Vec<i64>,
        transient: u32,
    }

    impl Picky {
        fn fail(&mut self) -> Result<(), Fault> {
            if self.transient == 0 {
                return Ok(());
            }
            self.transient -= 1;
            Err(Fault::Transient("not now".into()))
        }
    }

    impl Stage for Picky {
        type Input = RawEvent;
        type Output = i64;

        fn name(&self) -> &'static str {
            "picky"
        }

        async fn judge(&mut self, batch: &[Item<RawEvent>]) -> Result<Vec<Verdict<i64>>, Fault> {
            self.fail()?;
            if batch.iter().any(|item| self.poison.contains(&item.position.offset)) {
                return Err(Fault::Refused("a bad row".into()));
            }
            Ok(batch.iter().map(|item| Verdict::Emit(item.position.offset)).collect())
        }

        async fn complete(&mut self) -> Result<(), Fault> {
            self.fail()?;
            if self.poison.is_empty() { Ok(()) } else { Err(Fault::Refused("a bad sum".into())) }
        }
    }

    async fn judged(mut stage: Picky, offsets: std::ops::Range<i64>) -> Vec<Verdict<i64>> {
        let health = HealthBoard::default().part("picky");
        let metrics = WorkerMetrics::new(&prometheus::Registry::new()).unwrap().stage("picky");
        let items: Vec<_> = offsets.map(|offset| item(0, offset, deleted("forum", "1"))).collect();
        let mut judge = Judge { stage: &mut stage, health: &health, metrics: &metrics };
        judge.verdicts(&items).await.unwrap()
    }

    #[tokio::test]
    async fn only_the_culprits_are_rejected_and_order_is_kept() {
        let verdicts = judged(Picky { poison: vec![3, 64], transient: 0 }, 0..100).await;
        for (offset, verdict) in (0..).zip(&verdicts) {
            match verdict {
                Verdict::Reject(rejection) => {
                    assert!([3, 64].contains(&offset), "{offset}");
                    assert_eq!(rejection.reason, Reason::RefusedByStore);
                }
                other => assert_eq!(*other, Verdict::Emit(offset)),
            }
        }
        assert_eq!(verdicts.len(), 100);
        assert!(!verdicts.contains(&Verdict::Drop(Dropped::Superseded)));
    }

    #[tokio::test(start_paused = true)]
    async fn transient_faults_are_waited_out() {
        assert_eq!(judged(Picky { poison: vec![], transient: 30 }, 0..2).await.len(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn completing_is_as_patient_and_has_no_culprit_to_look_for() {
        let health = HealthBoard::default().part("picky");
        let metrics = WorkerMetrics::new(&prometheus::Registry::new()).unwrap().stage("picky");
        let mut stage = Picky { poison: vec![], transient: 30 };
        let mut judge = Judge { stage: &mut stage, health: &health, metrics: &metrics };
        assert_eq!(judge.complete().await, Ok(()));
        assert_eq!(judge.stage.transient, 0);
        judge.stage.poison.push(1);
        assert_eq!(judge.complete().await, Err(Verdictless::Fatal("a bad sum".into())));
    }
}
