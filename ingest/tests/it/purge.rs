//! Authors who are gone, with a log in memory.

use std::time::Duration;

use echolot_ingest::{
    log::{LogFault, Publish as _},
    observe::Observer,
    purge::PurgeDesk,
    source::AuthorPurge,
};
use echolot_schemas::{MentionId, RawEvent, submission::Submission};
use proptest::prelude::*;
use tokio_util::sync::CancellationToken;

use crate::log::{MemoryLog, NOW, clock, observer, settings, source};

fn desk(log: &MemoryLog) -> PurgeDesk<MemoryLog, MemoryLog> {
    let every = Duration::from_secs(30);
    PurgeDesk { log: log.clone(), publish: log.clone(), every, clock: clock() }
}

fn said(observer: &Observer, at: &str, id: &str, author: &str) -> RawEvent {
    let submission = Submission {
        id: id.to_owned(),
        text: Some(format!("\"pseudonym\":\"{author}\" is what {author} wrote")),
        author: Some(author.to_owned()).filter(|author| !author.is_empty()),
        published_at: Some(NOW),
        ..Submission::default()
    };
    observer.observe(&source(at), submission, NOW).unwrap()
}

fn gone(observer: &Observer, at: &str, id: &str) -> RawEvent {
    let deleted = Submission { id: id.to_owned(), deleted: true, ..Submission::default() };
    observer.observe(&source(at), deleted, NOW).unwrap()
}

async fn ask(log: &MemoryLog, observer: &Observer, at: &str, author: &str) {
    let purge = AuthorPurge { source: source(at), author: author.to_owned() };
    log.publish_purges(&[observer.purge(&purge, NOW).unwrap()]).await.unwrap();
}

/// Native ids of these that are deleted by the events from `from` on.
fn deleted(log: &MemoryLog, from: usize, at: &str, ids: &[&str]) -> Vec<String> {
    let events = log.state().events[from..].to_vec();
    let is_gone = |id: &&&str| {
        let wanted = MentionId::derive(&source(at), id);
        events.iter().any(|event| matches!(event, RawEvent::Deleted(one) if one.id == wanted))
    };
    ids.iter().filter(is_gone).map(ToString::to_string).collect()
}

#[tokio::test]
async fn every_mention_of_an_author_who_is_gone_is_deleted_and_nobody_elses() {
    let (log, observer) = (MemoryLog::default(), observer(&settings()));
    let events = [
        said(&observer, "bluesky", "1", "ada"),
        said(&observer, "bluesky", "2", "grace"),
        said(&observer, "bluesky", "3", "ada"),
        said(&observer, "bluesky", "4", ""),
        gone(&observer, "bluesky", "3"),
        said(&observer, "forum", "1", "ada"),
    ];
    log.publish(&events, None).await.unwrap();
    ask(&log, &observer, "bluesky", "ada").await;
    assert_eq!(desk(&log).pass().await, Ok(1), "3 is deleted already");
    assert_eq!(deleted(&log, events.len(), "bluesky", &["1", "2", "3", "4"]), ["1"]);
    assert_eq!(deleted(&log, events.len(), "forum", &["1"]), [""; 0], "the same name elsewhere");
    assert_eq!(log.state().journal, ["publish 6", "purge 1", "publish 1", "finish 1"]);
    assert_eq!(desk(&log).pass().await, Ok(0), "the request was taken back");
}

#[tokio::test]
async fn a_request_stays_until_its_deletions_are_acknowledged() {
    let (log, observer) = (MemoryLog::default(), observer(&settings()));
    log.publish(&[said(&observer, "bluesky", "1", "ada")], None).await.unwrap();
    ask(&log, &observer, "bluesky", "ada").await;
    let down = LogFault::Unavailable("no leader".to_owned());
    log.state().faults = [down.clone()].into();
    assert_eq!(desk(&log).pass().await, Err(down));
    assert_eq!(log.state().purges.len(), 1);
    assert_eq!(desk(&log).pass().await, Ok(1));
    assert_eq!(log.state().purges.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_desk_goes_on_after_faults_and_ends_when_it_is_told_to() {
    let (log, observer) = (MemoryLog::default(), observer(&settings()));
    log.publish(&[said(&observer, "bluesky", "1", "ada")], None).await.unwrap();
    ask(&log, &observer, "bluesky", "ada").await;
    log.state().faults = vec![LogFault::Unavailable("down".to_owned()); 3].into();
    let (cancel, desk) = (CancellationToken::new(), desk(&log));
    let stop = async {
        tokio::time::sleep(Duration::from_mins(10)).await;
        cancel.cancel();
    };
    tokio::join!(desk.run(cancel.clone()), stop);
    assert_eq!(log.state().purges.len(), 0);
    assert_eq!(deleted(&log, 1, "bluesky", &["1"]), ["1"]);
}

proptest! {
    #[test]
    fn whatever_was_said_and_deleted_before_exactly_what_is_left_of_them_goes(
        history in prop::collection::vec((0_u8..12, 0_usize..3, any::<bool>()), 0..60),
    ) {
        const AUTHORS: [&str; 3] = ["ada", "grace", "lynn"];
        let (log, observer) = (MemoryLog::default(), observer(&settings()));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut left = std::collections::BTreeMap::new();
            let mut events = Vec::new();
            for (number, author, deleted) in history {
                // A native id has one author for ever.
                let (id, author) = (format!("{author}-{number}"), AUTHORS[author]);
                if deleted {
                    left.remove(&id);
                    events.push(gone(&observer, "bluesky", &id));
                } else {
                    left.insert(id.clone(), author);
                    events.push(said(&observer, "bluesky", &id, author));
                }
            }
            log.publish(&events, None).await.unwrap();
            for author in ["ada", "lynn"] {
                ask(&log, &observer, "bluesky", author).await;
            }
            let ids: Vec<&str> = left.keys().map(String::as_str).collect();
            let theirs: Vec<String> = left
                .iter()
                .filter(|(_, author)| **author != "grace")
                .map(|(id, _)| id.clone())
                .collect();
            assert_eq!(desk(&log).pass().await, Ok(theirs.len()));
            assert_eq!(deleted(&log, events.len(), "bluesky", &ids), theirs);
        });
    }
}
