use std::{collections::VecDeque, time::Duration};

use bytes::Bytes;
use echolot_ingest::{
    collector::{CollectError, Collected, Ended},
    log::LogFault,
    rejected::{ORIGINAL_BYTES, Place, Rejected},
    source::{Observation, Page, Source, SourceFault},
};
use echolot_pipeline::stage::Rejection;
use echolot_schemas::{
    SourceName, cursor::CursorRecord, dead_letter::Reason, submission::Submission,
};
use tokio_util::sync::CancellationToken;

use crate::log::{MemoryLog, NOW, collector, source};

/// A source that says what it is told to.
struct Script {
    name: SourceName,
    resumed: Option<CursorRecord>,
    answers: VecDeque<Result<Option<Page>, SourceFault>>,
    /// What happens when there is nothing left to say.
    endless: bool,
}

impl Script {
    fn new(answers: impl IntoIterator<Item = Result<Option<Page>, SourceFault>>) -> Self {
        let answers = answers.into_iter().collect();
        Self { name: source("forum"), resumed: None, answers, endless: false }
    }
}

impl Source for Script {
    fn name(&self) -> &SourceName {
        &self.name
    }

    async fn resume(&mut self, cursor: Option<CursorRecord>) -> Result<(), SourceFault> {
        self.resumed = cursor;
        Ok(())
    }

    async fn next_page(&mut self) -> Result<Option<Page>, SourceFault> {
        match self.answers.pop_front() {
            Some(answer) => answer,
            None if self.endless => std::future::pending().await,
            None => Ok(None),
        }
    }
}

fn observation(id: &str, text: &str) -> Observation {
    Observation {
        source: source("forum"),
        submission: Submission {
            id: id.to_owned(),
            text: Some(text.to_owned()),
            published_at: Some(NOW),
            ..Submission::default()
        },
        place: Place::NativeId(id.to_owned()),
        original: Bytes::from(format!("original of {id}")),
        followed: false,
    }
}

fn page(ids: &[&str], cursor: &str) -> Page {
    let observations = ids.iter().map(|id| observation(id, "a text")).collect();
    Page { observations, cursor: Some(cursor.to_owned()), ..Page::default() }
}

#[tokio::test(start_paused = true)]
async fn a_cursor_is_saved_only_after_events_and_dead_letters_are_acknowledged() {
    let log = MemoryLog::default();
    let mut bad = page(&["1", "2"], "7");
    bad.observations.push(observation("3", ""));
    let mut script = Script::new([Ok(Some(bad)), Ok(Some(page(&["4"], "8")))]);
    let mut seen = Vec::new();
    let collector = collector(&log);
    let ended = collector.run(&mut script, &CancellationToken::new(), |page| seen.push(page)).await;
    assert_eq!(ended.unwrap(), Ended::Exhausted);
    let state = log.state();
    assert_eq!(state.journal, ["publish 2", "dead 1", "save 7", "publish 1", "save 8"]);
    assert_eq!(
        seen,
        [
            Collected { accepted: 2, rejected: 1, filtered: 0 },
            Collected { accepted: 1, rejected: 0, filtered: 0 }
        ]
    );
    let letter = &state.letters[0];
    assert_eq!(letter.stage, "ingest");
    assert_eq!(letter.rejection.reason, Reason::Invalid);
    assert_eq!(letter.payload, b"original of 3");
    assert!(letter.headers.contains(&("ingest_place".to_owned(), b"3".to_vec())));
}

#[tokio::test(start_paused = true)]
async fn a_source_goes_on_behind_its_cursor() {
    let log = MemoryLog::default();
    log.state().cursors.insert("forum".to_owned(), "41".to_owned());
    let mut script = Script::new([]);
    collector(&log).run(&mut script, &CancellationToken::new(), |_| ()).await.unwrap();
    assert_eq!(script.resumed.unwrap().position, "41");
}

#[tokio::test(start_paused = true)]
async fn transient_faults_of_source_and_log_are_waited_out() {
    let log = MemoryLog::default();
    log.state().faults = [LogFault::Unavailable("no leader".to_owned())].into();
    let busy = SourceFault::Transient {
        detail: "429".to_owned(),
        retry_after: Some(Duration::from_mins(2)),
    };
    let mut script = Script::new([Err(busy), Ok(Some(page(&["1"], "1")))]);
    let started = tokio::time::Instant::now();
    collector(&log).run(&mut script, &CancellationToken::new(), |_| ()).await.unwrap();
    assert!(started.elapsed() >= Duration::from_mins(2));
    assert_eq!(log.state().journal, ["fault", "publish 1", "save 1"]);
}

#[tokio::test(start_paused = true)]
async fn a_page_in_hand_is_brought_home_before_a_fault_of_the_next_one_ends_the_source() {
    let log = MemoryLog::default();
    log.state().delay = Duration::from_secs(1);
    let expired = SourceFault::Unauthorised("the token has expired".to_owned());
    let mut script = Script::new([Ok(Some(page(&["1"], "1"))), Err(expired.clone())]);
    let ended = collector(&log).run(&mut script, &CancellationToken::new(), |_| ()).await;
    assert!(matches!(ended, Err(CollectError::Source { fault, .. }) if fault == expired));
    assert_eq!(log.state().journal, ["publish 1", "save 1"]);
}

#[tokio::test(start_paused = true)]
async fn a_log_that_failed_for_good_ends_the_source_without_moving_its_cursor() {
    let log = MemoryLog::default();
    log.state().faults = [LogFault::Fatal("fenced".to_owned())].into();
    let mut script = Script::new([Ok(Some(page(&["1"], "1")))]);
    script.endless = true;
    let ended = collector(&log).run(&mut script, &CancellationToken::new(), |_| ()).await;
    assert!(matches!(ended, Err(CollectError::Log { .. })));
    assert_eq!(log.state().journal, ["fault"]);
}

#[tokio::test(start_paused = true)]
async fn cancelling_finishes_the_page_in_hand_and_waits_for_no_other() {
    let log = MemoryLog::default();
    log.state().delay = Duration::from_secs(1);
    let mut script = Script::new([Ok(Some(page(&["1"], "1")))]);
    script.endless = true;
    let cancel = CancellationToken::new();
    let collector = collector(&log);
    let stop = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        cancel.cancel();
    };
    let (ended, ()) = tokio::join!(collector.run(&mut script, &cancel, |_| ()), stop);
    assert_eq!(ended.unwrap(), Ended::Cancelled);
    assert_eq!(log.state().journal, ["publish 1", "save 1"]);
}

#[tokio::test(start_paused = true)]
async fn cancelling_does_not_wait_for_a_log_that_does_not_answer() {
    let log = MemoryLog::default();
    log.state().faults = vec![LogFault::Unavailable("down".to_owned()); 100].into();
    let mut script = Script::new([Ok(Some(page(&["1"], "1")))]);
    script.endless = true;
    let cancel = CancellationToken::new();
    let collector = collector(&log);
    let stop = async {
        tokio::time::sleep(Duration::from_secs(20)).await;
        cancel.cancel();
    };
    let (ended, ()) = tokio::join!(collector.run(&mut script, &cancel, |_| ()), stop);
    assert_eq!(ended.unwrap(), Ended::Cancelled);
    assert!(log.state().journal.iter().all(|entry| entry == "fault"));
}

#[test]
fn a_rejected_original_is_kept_up_to_a_bound_and_says_so() {
    let rejection = Rejection { reason: Reason::Malformed, detail: "no JSON".to_owned() };
    let original = Bytes::from(vec![b'x'; ORIGINAL_BYTES + 1]);
    let rejected = Rejected::new(Place::Line { file: None, line: 3 }, rejection, original);
    assert_eq!(rejected.original.len(), ORIGINAL_BYTES);
    assert_eq!(rejected.rejection.detail, "no JSON (the first 262144 of 262145 bytes are kept)");
}
