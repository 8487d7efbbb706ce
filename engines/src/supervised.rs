//! The life of one engine: start, wait until ready, watch, start again, stop.

use std::{
    fs::File,
    path::PathBuf,
    process::{Command, ExitStatus, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    sync::{mpsc, watch},
    time::{sleep, sleep_until, timeout},
};

use crate::{
    EngineError, EngineEvent, EngineKind, EnginePhase, Launcher,
    backoff::Failures,
    clickhouse, kafka,
    keeper::{Keeper, Running},
    leftover::PidFile,
    logs::LogTail,
    supervisor::Progress,
};

const PROBE_EVERY: Duration = Duration::from_millis(25);
const PROBE_WITHIN: Duration = Duration::from_secs(1);
/// What a killed process gets to be gone.
const KILLED_WITHIN: Duration = Duration::from_secs(2);

/// All it takes to start one engine, again and again, on the same ports.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) engine: EngineKind,
    pub(crate) launcher: Launcher,
    /// The argument of the child process, a serialised [`crate::entry::Order`].
    pub(crate) order: String,
    pub(crate) probe: Probe,
    pub(crate) pid_file: PidFile,
    pub(crate) log: PathBuf,
    pub(crate) output: PathBuf,
    pub(crate) start_within: Duration,
    pub(crate) stop_within: Duration,
}

#[derive(Debug)]
pub(crate) enum Probe {
    Kafka { port: u16 },
    ClickHouse(clickhouse::Probe),
}

/// What an engine is doing, for those who wait for it.
#[derive(Debug, Clone)]
pub(crate) enum State {
    Starting,
    /// `starts` counts the times the engine became ready.
    Ready {
        pid: u32,
        starts: u64,
    },
    GivenUp(Arc<EngineError>),
    Stopped,
}

/// A request to a running engine's task.
#[derive(Debug)]
pub(crate) enum Request {
    Restart,
    /// Until when a clean stop may take; then it is killed.
    Stop(Instant),
}

pub(crate) struct Supervised {
    pub(crate) plan: Plan,
    pub(crate) keeper: Keeper,
    pub(crate) failures: Failures,
    pub(crate) state: watch::Sender<State>,
    pub(crate) progress: Progress,
    pub(crate) starts: u64,
}

/// How one life of the process ended.
enum End {
    Stopped,
    Restarted,
    Failed { error: EngineError, ready_for: Duration },
}

impl Supervised {
    /// Runs until the engine is stopped or given up. Before its first readiness
    /// any failure is final: what is wrong then does not mend itself.
    pub(crate) async fn run(mut self, mut requests: mpsc::Receiver<Request>) {
        loop {
            let end = self.live(&mut requests).await;
            let (error, ready_for) = match end {
                End::Stopped => return self.settle(State::Stopped),
                End::Restarted => continue,
                End::Failed { error, .. } if self.starts == 0 => {
                    return self.settle(State::GivenUp(Arc::new(error)));
                }
                End::Failed { error, ready_for } => (error, ready_for),
            };
            let Some(pause) = self.failures.record(ready_for) else {
                let error = EngineError::GaveUp {
                    engine: self.plan.engine,
                    failures: self.failures.in_a_row(),
                    last: Box::new(error),
                };
                return self.settle(State::GivenUp(Arc::new(error)));
            };
            self.state.send_replace(State::Starting);
            self.report(EnginePhase::Failed { reason: error.to_string(), retry_in: pause });
            tokio::select! {
                request = requests.recv() => {
                    if !matches!(request, Some(Request::Restart)) {
                        return self.settle(State::Stopped);
                    }
                }
                () = sleep(pause) => {}
            }
        }
    }

    async fn live(&mut self, requests: &mut mpsc::Receiver<Request>) -> End {
        self.report(EnginePhase::Starting);
        let began = Instant::now();
        let mut running = match self.spawn().await {
            Ok(running) => running,
            Err(error) => return failed(error, Duration::ZERO),
        };
        let start_within = self.plan.start_within;
        tokio::select! {
            request = requests.recv() => return self.obey(request, &mut running).await,
            status = running.ended() => {
                let (engine, tail) = (self.plan.engine, self.tail());
                return failed(EngineError::EndedAtStart { engine, status, tail }, Duration::ZERO);
            }
            ready = timeout(start_within, self.plan.probe.until_ready()) => if ready.is_err() {
                let tail = self.tail();
                self.kill(&mut running).await;
                let (engine, within) = (self.plan.engine, start_within);
                return failed(EngineError::StartTimeout { engine, within, tail }, Duration::ZERO);
            }
        }

        self.starts += 1;
        self.state.send_replace(State::Ready { pid: running.pid, starts: self.starts });
        self.report(EnginePhase::Ready { took: began.elapsed() });
        let ready = Instant::now();
        tokio::select! {
            request = requests.recv() => self.obey(request, &mut running).await,
            status = running.ended() => {
                let error = self.crash(status);
                failed(error, ready.elapsed())
            }
        }
    }

    async fn spawn(&self) -> Result<Running, EngineError> {
        let command = self.command()?;
        let running = self.keeper.spawn(command).await.map_err(|source| EngineError::Spawn {
            engine: self.plan.engine,
            program: self.plan.launcher.program().to_owned(),
            source,
        })?;
        self.plan.pid_file.record(running.pid)?;
        Ok(running)
    }

    /// The output file holds one start only, so that it cannot grow without bound
    /// and an old error is not read as a new one.
    fn command(&self) -> Result<Command, EngineError> {
        let path = &self.plan.output;
        let output = File::create(path).map_err(EngineError::home("write", path))?;
        let errors = output.try_clone().map_err(EngineError::home("write", path))?;
        let mut command = self.plan.launcher.command(&self.plan.order);
        command.stdout(Stdio::from(output)).stderr(Stdio::from(errors));
        Ok(command)
    }

    /// Whoever dropped the sender without a word wants a stop, too.
    async fn obey(&self, request: Option<Request>, running: &mut Running) -> End {
        self.report(EnginePhase::Stopping);
        match request {
            Some(Request::Restart) => {
                self.stop(running, Instant::now() + self.plan.stop_within).await;
                self.state.send_replace(State::Starting);
                End::Restarted
            }
            Some(Request::Stop(deadline)) => {
                self.stop(running, deadline).await;
                End::Stopped
            }
            None => {
                self.stop(running, Instant::now() + self.plan.stop_within).await;
                End::Stopped
            }
        }
    }

    async fn stop(&self, running: &mut Running, deadline: Instant) {
        self.keeper.stop();
        tokio::select! {
            _ = running.ended() => {}
            () = sleep_until(deadline.into()) => {
                tracing::warn!(engine = %self.plan.engine, "did not stop in time, killing it");
                self.kill(running).await;
            }
        }
    }

    async fn kill(&self, running: &mut Running) {
        self.keeper.kill();
        if timeout(KILLED_WITHIN, running.ended()).await.is_err() {
            tracing::error!(engine = %self.plan.engine, pid = running.pid, "is still there after SIGKILL");
        }
    }

    fn crash(&self, status: ExitStatus) -> EngineError {
        EngineError::Crashed { engine: self.plan.engine, status, tail: self.tail() }
    }

    /// The engine's last words on its standard error say more than its log, when
    /// there are any.
    fn tail(&self) -> LogTail {
        let (log, output) = (self.plan.log.clone(), self.plan.output.clone());
        LogTail::read(&match self.plan.engine {
            EngineKind::Kafka => [log, output],
            EngineKind::ClickHouse => [output, log],
        })
    }

    fn settle(&self, state: State) {
        match &state {
            State::GivenUp(error) => {
                self.report(EnginePhase::GivenUp { reason: error.to_string() });
            }
            State::Stopped => self.report(EnginePhase::Stopped),
            State::Starting | State::Ready { .. } => {}
        }
        self.state.send_replace(state);
    }

    fn report(&self, phase: EnginePhase) {
        (self.progress)(EngineEvent { engine: self.plan.engine, phase });
    }
}

impl Probe {
    async fn until_ready(&self) {
        loop {
            if let Ok(true) = timeout(PROBE_WITHIN, self.ask()).await {
                return;
            }
            sleep(PROBE_EVERY).await;
        }
    }

    /// An error is a "not yet": the process is watched beside this.
    async fn ask(&self) -> bool {
        match self {
            Self::Kafka { port } => kafka::is_ready(*port).await.unwrap_or(false),
            Self::ClickHouse(probe) => probe.is_ready().await.unwrap_or(false),
        }
    }
}

fn failed(error: EngineError, ready_for: Duration) -> End {
    End::Failed { error, ready_for }
}
