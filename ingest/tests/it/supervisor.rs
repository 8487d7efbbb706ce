//! Sources side by side: what happens to one is no matter of the others.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use echolot_ingest::{
    collector::{CollectError, Collector},
    coverage::Recorder,
    log::LogFault,
    source::{AnySource, Notice, Observation, Page, Source, SourceFault},
    supervisor::{Build, Supervised, Supervisor},
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

/// What is left to do, and where every life of a source began.
struct Script {
    turns: VecDeque<Turn>,
    resumed: Vec<Option<String>>,
}

/// A source that does what it is told to, one turn a second, and then has nothing new to say.
struct Acting {
    name: SourceName,
    script: Arc<Mutex<Script>>,
}

impl Source for Acting {
    fn name(&self) -> &SourceName {
        &self.name
    }

    fn replays(&self) -> bool {
        true
    }

    async fn resume(&mut self, cursor: Option<CursorRecord>) -> Result<(), SourceFault> {
        self.script.lock().unwrap().resumed.push(cursor.map(|cursor| cursor.position));
        Ok(())
    }

    async fn next_page(&mut self) -> Result<Option<Page>, SourceFault> {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let turn = self.script.lock().unwrap().turns.pop_front();
        let page = match turn {
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
    scripted(name, turns).0
}

fn scripted(name: &str, turns: impl IntoIterator<Item = Turn>) -> (Supervised, Arc<Mutex<Script>>) {
    let script = Script { turns: turns.into_iter().collect(), resumed: Vec::new() };
    let script = Arc::new(Mutex::new(script));
    let (name, played) = (source(name), Arc::clone(&script));
    let acting = {
        let name = name.clone();
        move || AnySource::new(Acting { name: name.clone(), script: Arc::clone(&played) })
    };
    let first = acting();
    let build = Build::new(move || Ok(acting()));
    let interval = Duration::from_secs(30);
    (Supervised { name, source: Some((first, build)), interval }, script)
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
async fn a_source_that_panics_is_started_anew_behind_its_cursor_and_counted() {
    let (log, board) = (MemoryLog::default(), HealthBoard::default());
    let turns = [Turn::Says("a"), Turn::Panics, Turn::Says("b"), Turn::Panics, Turn::Says("c")];
    let (broken, script) = scripted("broken", turns);
    let sources = vec![broken, acting("forum", [Turn::Says("1"), Turn::Says("2")])];
    run(&log, &board, sources, Duration::from_mins(1)).await.unwrap();
    let mut texts = log.texts();
    texts.sort();
    assert_eq!(texts, ["1 is a text", "2 is a text", "a is a text", "b is a text", "c is a text"]);
    let resumed = script.lock().unwrap().resumed.clone();
    assert_eq!(resumed, [None, Some("a".to_owned()), Some("b".to_owned())]);
    assert_eq!(notes(&board), "", "what is mended by itself is not worth a note");
    let broken = coverage(&log, "broken");
    assert_eq!((broken.state, broken.restarts, broken.accepted), (CoverageState::Ok, 2, 3));
    assert_eq!(coverage(&log, "forum").restarts, 0);
}

#[tokio::test(start_paused = true)]
async fn a_source_that_always_panics_is_tried_ever_more_rarely_and_shown_as_failing() {
    let (log, board) = (MemoryLog::default(), HealthBoard::default());
    let (broken, script) = scripted("broken", (0..1000).map(|_| Turn::Panics));
    let sources = vec![broken, acting("forum", [Turn::Says("1")])];
    let (supervisor, cancel) = (supervisor(&log, &board), CancellationToken::new());
    let stop = async {
        tokio::time::sleep(Duration::from_hours(1)).await;
        cancel.cancel();
    };
    tokio::join!(supervisor.run(sources, cancel.clone()), stop).0.unwrap();
    let lives = script.lock().unwrap().resumed.len();
    assert!((15..40).contains(&lives), "{lives} in an hour");
    let broken = coverage(&log, "broken");
    assert_eq!((broken.state, broken.restarts), (CoverageState::Failing, lives as u64));
    let detail = broken.detail.unwrap();
    assert!(detail.starts_with("it panicked, which is a defect; started anew after"), "{detail}");
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
