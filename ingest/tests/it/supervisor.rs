//! Sources side by side: what happens to one is no matter of the others.

use std::{collections::VecDeque, time::Duration};

use echolot_ingest::{
    collector::{CollectError, Collector},
    coverage::Recorder,
    log::LogFault,
    source::{AnySource, Notice, Observation, Page, Source, SourceFault},
    supervisor::{Supervised, Supervisor},
};
use echolot_pipeline::{clock::Clock, health::HealthBoard};
use echolot_schemas::{
    SourceName, Timestamp,
    coverage::{CoverageState, Gap, GapReason, SourceCoverage},
    cursor::CursorRecord,
    submission::Submission,
};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::log::{MemoryLog, NOW, collector, source};

/// What a source does when it is asked.
enum Turn {
    Says(&'static str),
    Fails(SourceFault),
    Panics,
    Notices(Notice),
}

/// A source that does what it is told to, one turn a second, and then has nothing new to say.
struct Acting {
    name: SourceName,
    turns: VecDeque<Turn>,
}

impl Source for Acting {
    fn name(&self) -> &SourceName {
        &self.name
    }

    fn replays(&self) -> bool {
        true
    }

    async fn resume(&mut self, _: Option<CursorRecord>) -> Result<(), SourceFault> {
        Ok(())
    }

    async fn next_page(&mut self) -> Result<Option<Page>, SourceFault> {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let page = match self.turns.pop_front() {
            Some(Turn::Says(id)) => Page {
                observations: vec![Observation::new(&self.name, said(id), id.into())],
                cursor: Some(id.to_owned()),
                ..Page::default()
            },
            Some(Turn::Fails(fault)) => return Err(fault),
            Some(Turn::Panics) => panic!("a defect that a test asked for"),
            Some(Turn::Notices(notice)) => Page { notices: vec![notice], ..Page::default() },
            None => Page::default(),
        };
        Ok(Some(page))
    }
}

fn said(id: &str) -> Submission {
    let text = Some(format!("{id} is a text"));
    Submission { id: id.to_owned(), text, published_at: Some(NOW), ..Submission::default() }
}

fn acting(name: &str, turns: impl IntoIterator<Item = Turn>) -> Supervised {
    let acting = Acting { name: source(name), turns: turns.into_iter().collect() };
    Supervised {
        name: source(name),
        source: Some(AnySource::new(acting)),
        interval: Duration::from_secs(30),
    }
}

/// Time as the paused runtime counts it, from [`NOW`] on.
fn clock() -> Clock {
    let start = Instant::now();
    Clock::new(move || {
        let passed = i64::try_from(start.elapsed().as_millis()).unwrap();
        Timestamp::from_millis(NOW.as_millis() + passed)
    })
}

fn supervisor(log: &MemoryLog, board: &HealthBoard) -> Supervisor<MemoryLog, MemoryLog, MemoryLog> {
    let collector = Collector { clock: clock(), ..collector(log) };
    let recorder = Recorder { log: log.clone(), book: collector.coverage.clone(), clock: clock() };
    Supervisor { collector, recorder, health: board.part("sources") }
}

/// Runs these sources for so long.
async fn run(
    log: &MemoryLog,
    board: &HealthBoard,
    sources: Vec<Supervised>,
    time: Duration,
) -> Result<(), CollectError> {
    let (supervisor, cancel) = (supervisor(log, board), CancellationToken::new());
    let stop = async {
        tokio::time::sleep(time).await;
        cancel.cancel();
    };
    tokio::join!(supervisor.run(sources, cancel.clone()), stop).0
}

fn coverage(log: &MemoryLog, name: &str) -> SourceCoverage {
    let written = log.state().coverage.clone();
    written.into_iter().rfind(|one| one.source.as_str() == name).unwrap()
}

fn notes(board: &HealthBoard) -> String {
    board.notes().into_iter().map(|(_, note)| note).collect()
}

#[tokio::test(start_paused = true)]
async fn an_expired_token_stops_its_source_alone_and_readiness_names_it() {
    let (log, board) = (MemoryLog::default(), HealthBoard::default());
    let expired = SourceFault::Unauthorised("expired; make one in the preferences".to_owned());
    let sources = vec![
        acting("fediverse", [Turn::Says("a"), Turn::Fails(expired), Turn::Says("never")]),
        acting("forum", [Turn::Says("1"), Turn::Says("2"), Turn::Says("3"), Turn::Says("4")]),
    ];
    run(&log, &board, sources, Duration::from_mins(3)).await.unwrap();
    let mut texts = log.texts();
    texts.sort();
    assert_eq!(texts, ["1 is a text", "2 is a text", "3 is a text", "4 is a text", "a is a text"]);
    assert_eq!(board.not_ready(), []);
    assert_eq!(
        notes(&board),
        "fediverse stands still: not authorised: expired; make one in the preferences"
    );
    let stopped = coverage(&log, "fediverse");
    assert_eq!((stopped.state, stopped.accepted), (CoverageState::Stopped, 1));
    let [Gap { to: None, why: GapReason::Unauthorised, .. }] = stopped.gaps[..] else {
        panic!("{stopped:?}")
    };
    let well = coverage(&log, "forum");
    assert_eq!((well.state, well.accepted, well.gaps.len()), (CoverageState::Ok, 4, 0));
}

#[tokio::test(start_paused = true)]
async fn a_source_that_panics_stands_still_alone() {
    let (log, board) = (MemoryLog::default(), HealthBoard::default());
    let sources = vec![
        acting("broken", [Turn::Panics, Turn::Says("never")]),
        acting("forum", [Turn::Says("1"), Turn::Says("2")]),
    ];
    run(&log, &board, sources, Duration::from_mins(1)).await.unwrap();
    assert_eq!(log.texts(), ["1 is a text", "2 is a text"]);
    assert_eq!(notes(&board), "broken stands still: it panicked: a defect");
    assert_eq!(coverage(&log, "broken").state, CoverageState::Stopped);
    assert_eq!(coverage(&log, "forum").state, CoverageState::Ok);
}

#[tokio::test(start_paused = true)]
async fn a_source_that_fails_for_a_while_is_asked_ever_more_rarely_and_then_caught_up() {
    let (log, board) = (MemoryLog::default(), HealthBoard::default());
    let down = || Turn::Fails(SourceFault::transient("connection refused"));
    let turns = [Turn::Says("1")].into_iter().chain((0..8).map(|_| down()));
    let sources = vec![acting("forum", turns.chain([Turn::Says("2")]))];
    let (supervisor, cancel) = (supervisor(&log, &board), CancellationToken::new());
    let began = Instant::now();
    let watch = async {
        while log.texts().len() < 2 {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        let took = began.elapsed();
        tokio::time::sleep(Duration::from_secs(20)).await;
        cancel.cancel();
        took
    };
    let (ended, took) = tokio::join!(supervisor.run(sources, cancel.clone()), watch);
    ended.unwrap();
    // Ten turns of a second; eight pauses that double from half a second on, each drawn from the
    // upper half of its bound.
    assert!(took >= Duration::from_millis(10_000 + 63_750), "{took:?}");
    assert_eq!(notes(&board), "", "what passes is not worth a note");
    let caught_up = coverage(&log, "forum");
    assert_eq!(caught_up.state, CoverageState::Ok);
    let [Gap { to: Some(_), why: GapReason::Outage, caught_up: true, .. }] = caught_up.gaps[..]
    else {
        panic!("{caught_up:?}")
    };
}

#[tokio::test(start_paused = true)]
async fn what_a_source_knows_to_be_missing_and_how_it_was_is_written_for_the_next_process() {
    let (log, board) = (MemoryLog::default(), HealthBoard::default());
    let hours = |hours: i64| Timestamp::from_millis(NOW.as_millis() - hours * 3_600_000);
    let clamped = Notice::Gap { from: hours(40), to: hours(36), why: GapReason::ClampedCursor };
    let lost = Notice::Lost { count: 7, why: GapReason::Window };
    let turns = [Turn::Notices(clamped), Turn::Notices(lost), Turn::Says("1")];
    run(&log, &board, vec![acting("bluesky", turns)], Duration::from_secs(20)).await.unwrap();
    let first = coverage(&log, "bluesky");
    assert_eq!((first.lost, first.accepted, first.gaps.len()), (7, 1, 1));

    // Nobody was there for an hour; the next process finds that out by itself.
    tokio::time::advance(Duration::from_hours(1)).await;
    let later = Collector {
        clock: Clock::stopped_at(Timestamp::from_millis(NOW.as_millis() + 3_700_000)),
        ..collector(&log)
    };
    let recorder =
        Recorder { log: log.clone(), book: later.coverage.clone(), clock: later.clock.clone() };
    let next = Supervisor { collector: later, recorder, health: board.part("sources") };
    let cancel = CancellationToken::new();
    let stop = async {
        tokio::time::sleep(Duration::from_secs(20)).await;
        cancel.cancel();
    };
    let sources = vec![acting("bluesky", [Turn::Says("2")])];
    tokio::join!(next.run(sources, cancel.clone()), stop).0.unwrap();
    let second = coverage(&log, "bluesky");
    assert_eq!((second.lost, second.accepted, second.gaps.len()), (7, 2, 2));
    assert_eq!(second.gaps[0].why, GapReason::ClampedCursor);
    assert!(!second.gaps[0].caught_up && second.gaps[1].caught_up, "{second:?}");
    assert_eq!(second.gaps[1].why, GapReason::Outage);
}

#[tokio::test(start_paused = true)]
async fn a_log_that_failed_for_good_ends_them_all() {
    let (log, board) = (MemoryLog::default(), HealthBoard::default());
    log.state().faults = [LogFault::Fatal("fenced".to_owned())].into();
    let sources = vec![acting("forum", [Turn::Says("1")]), acting("news", [])];
    let ended = run(&log, &board, sources, Duration::from_hours(1)).await;
    assert!(matches!(ended, Err(CollectError::Log { .. })), "{ended:?}");
}
