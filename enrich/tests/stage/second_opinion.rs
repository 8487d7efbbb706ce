use std::sync::Arc;

use echolot_enrich::{
    model::model_ref,
    sentiment::{ScoreInput, Scorer, ScorerFault},
};
use echolot_pipeline::stage::{Stage, Verdict};
use echolot_schemas::{
    EnrichedEvent, RawEvent,
    enriched::{Distribution, ModelRef, Sentiment},
};

use super::{batch, settings, with_second};

/// Says one thing, less surely of texts that hold a question mark.
struct Fixed(ModelRef, f32);

impl Scorer for Fixed {
    fn model(&self) -> &ModelRef {
        &self.0
    }

    fn score(&self, texts: &[ScoreInput<'_>]) -> Result<Vec<Distribution>, ScorerFault> {
        let score = |input: &ScoreInput<'_>| {
            assert!(!input.text.contains("bomb") || self.0.id == "first", "on purpose");
            let sure = if input.text.contains('?') { 0.4 } else { self.1 };
            let rest = (1.0 - sure) / 2.0;
            Distribution { negative: rest, neutral: rest, positive: sure }
        };
        Ok(texts.iter().map(score).collect())
    }
}

fn fixed(id: &str, sure: f32) -> Arc<dyn Scorer> {
    Arc::new(Fixed(model_ref(id, "1", &[]), sure))
}

fn sentiment(verdict: &Verdict<EnrichedEvent>) -> &Sentiment {
    match verdict {
        Verdict::Emit(EnrichedEvent::Enriched(enriched)) => &enriched.sentiment,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_event_names_the_model_whose_scores_it_carries() {
    let mut stage = with_second(&settings(), fixed("first", 0.9), Some(fixed("second", 0.8)));
    let mut items = batch(&["sicher", "wirklich?", "sicher und weit"]);
    let RawEvent::Observed(observed) = &mut items[2].event else { unreachable!() };
    observed.mention.engagement.reach = Some(10_000);
    let verdicts = stage.judge(&items).await.unwrap();
    let models: Vec<&str> =
        verdicts.iter().map(|verdict| sentiment(verdict).model.id.as_str()).collect();
    assert_eq!(models, ["first", "second", "second"]);
    assert!((sentiment(&verdicts[2]).distribution.positive - 0.8).abs() < 1e-6);
}

#[tokio::test]
async fn a_text_that_brings_the_second_model_down_is_rejected_alone_and_names_it() {
    let mut stage = with_second(&settings(), fixed("first", 0.9), Some(fixed("second", 0.8)));
    let verdicts = stage.judge(&batch(&["a?", "bomb?", "bomb", "c?"])).await.unwrap();
    let Verdict::Reject(rejection) = &verdicts[1] else { panic!("{verdicts:?}") };
    assert!(rejection.detail.contains("second_opinion model second 1"), "{}", rejection.detail);
    assert_eq!(sentiment(&verdicts[2]).model.id, "first");
    for at in [0, 3] {
        assert_eq!(sentiment(&verdicts[at]).model.id, "second");
    }
}
