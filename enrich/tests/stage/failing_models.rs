use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use echolot_enrich::{
    model::model_ref,
    sentiment::{ScoreInput, Scorer, ScorerFault},
};
use echolot_pipeline::stage::{Fault, Stage, Verdict};
use echolot_schemas::{
    dead_letter::Reason,
    enriched::{Distribution, ModelRef},
};

use super::{batch, enricher, settings};

const EVEN: Distribution = Distribution { negative: 0.25, neutral: 0.5, positive: 0.25 };

/// A scorer that does what a test wants on texts that hold `bomb`.
struct Fragile {
    model: ModelRef,
    on_bomb: Box<dyn Fn() -> Result<Distribution, ScorerFault> + Send + Sync>,
}

impl Scorer for Fragile {
    fn model(&self) -> &ModelRef {
        &self.model
    }

    fn score(&self, texts: &[ScoreInput<'_>]) -> Result<Vec<Distribution>, ScorerFault> {
        let score = |input: &ScoreInput<'_>| {
            if input.text.contains("bomb") { (self.on_bomb)() } else { Ok(EVEN) }
        };
        texts.iter().map(score).collect()
    }
}

fn fragile(
    on_bomb: impl Fn() -> Result<Distribution, ScorerFault> + Send + Sync + 'static,
) -> Arc<dyn Scorer> {
    Arc::new(Fragile { model: model_ref("fragile", "7", &[b"x"]), on_bomb: Box::new(on_bomb) })
}

#[tokio::test]
async fn a_text_that_brings_a_model_down_is_rejected_alone_with_model_and_position() {
    let mut stage = enricher(&settings(), fragile(|| panic!("secret text")));
    let verdicts = stage.judge(&batch(&["a", "b", "bomb", "d"])).await.unwrap();
    let Verdict::Reject(rejection) = &verdicts[2] else { panic!("{verdicts:?}") };
    assert_eq!(rejection.reason, Reason::Unprocessable);
    assert!(rejection.detail.contains("fragile 7"), "{}", rejection.detail);
    assert!(rejection.detail.contains("3/2"), "{}", rejection.detail);
    assert!(!rejection.detail.contains("secret"), "{}", rejection.detail);
    for at in [0, 1, 3] {
        assert!(matches!(verdicts[at], Verdict::Emit(_)), "{at}");
    }
}

#[tokio::test]
async fn a_model_that_is_late_makes_a_transient_fault_and_the_next_try_succeeds() {
    let mut wanted = settings();
    wanted.score_timeout = Duration::from_millis(100);
    let late = AtomicBool::new(true);
    let scorer = fragile(move || {
        if late.swap(false, Ordering::SeqCst) {
            thread::sleep(Duration::from_secs(2));
        }
        Ok(EVEN)
    });
    let mut stage = enricher(&wanted, scorer);
    let items = batch(&["a", "bomb"]);
    let fault = stage.judge(&items).await.unwrap_err();
    assert!(matches!(&fault, Fault::Transient(why) if why.contains("100ms")), "{fault:?}");
    assert_eq!(stage.judge(&items).await.unwrap().len(), 2);
}

#[tokio::test]
async fn what_is_no_probability_is_never_stored() {
    let wrong = Distribution { negative: f32::NAN, ..EVEN };
    let mut stage = enricher(&settings(), fragile(move || Ok(wrong)));
    let verdicts = stage.judge(&batch(&["a", "bomb"])).await.unwrap();
    assert!(matches!(verdicts[0], Verdict::Emit(_)));
    assert!(matches!(&verdicts[1], Verdict::Reject(r) if r.reason == Reason::Unprocessable));
}

#[tokio::test]
async fn a_model_that_is_gone_is_waited_for_and_a_broken_one_is_fatal() {
    let model = || "fragile".to_owned();
    let gone = move || Err(ScorerFault::Unavailable { model: model(), problem: "x".to_owned() });
    let fault = enricher(&settings(), fragile(gone)).judge(&batch(&["bomb"])).await.unwrap_err();
    assert!(matches!(fault, Fault::Transient(_)), "{fault:?}");
    let broken = move || Err(ScorerFault::Broken { model: model(), problem: "x".to_owned() });
    let fault = enricher(&settings(), fragile(broken)).judge(&batch(&["bomb"])).await.unwrap_err();
    assert!(matches!(fault, Fault::Fatal(_)), "{fault:?}");
}
