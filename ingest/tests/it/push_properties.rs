//! What holds for every body, however it is made and sent.

use echolot_ingest::push;
use echolot_schemas::MentionId;
use proptest::prelude::*;

use crate::{
    log::{MemoryLog, NOW, observer, settings, source},
    push::{configured, line, open, router, send},
};

/// The ids that a body comes to when it is sent in requests of these many lines.
fn ids(lines: &[String], sizes: &[usize]) -> Vec<MentionId> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let log = MemoryLog::default();
    let router = router(&log, &configured(|_| ()));
    let (mut rest, mut sizes) = (lines, sizes.iter().cycle());
    while !rest.is_empty() {
        let (now, later) = rest.split_at((*sizes.next().unwrap()).min(rest.len()));
        runtime.block_on(send(&router, open(now.join("\n"))));
        rest = later;
    }
    log.mentions().into_iter().map(|mention| mention.id).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_split_of_lines_into_requests_comes_to_the_same_ids(
        names in prop::collection::vec("[a-e]{1,2}", 1..30),
        sizes in prop::collection::vec(1_usize..10, 1..5),
    ) {
        let lines: Vec<_> = names.iter().map(|name| line(name, "a text")).collect();
        prop_assert_eq!(ids(&lines, &sizes), ids(&lines, &[lines.len()]));
    }
}

proptest! {
    #[test]
    fn no_body_makes_the_parser_panic_and_every_item_is_judged(
        bytes in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(b"[]{},\"\\:\n 1".to_vec())], 0..200),
        content_type in prop::sample::select(vec![None, Some("application/json"), Some("application/x-ndjson")]),
    ) {
        let settings = settings();
        let (observer, source) = (observer(&settings), source("open"));
        let judge = push::Judge {
            observer: &observer, source: &source, keep: echolot_ingest::keep::KeepRule::All, observed_at: NOW, items_limit: 10_000,
        };
        let outcome = judge.judge(push::format(content_type, &bytes), &bytes).unwrap();
        prop_assert!(outcome.events.is_empty());
        prop_assert!(outcome.refused.len() <= outcome.refused_total);
    }
}
