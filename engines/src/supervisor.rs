//! Starts the engines, keeps them running, stops them.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    sync::{mpsc, watch},
    task::{JoinHandle, JoinSet},
};

use crate::{
    ClickHouseOptions, EngineEndpoints, EngineError, EngineHome, EngineKind, Installation,
    KafkaOptions, Launcher, RestartPolicy,
    backoff::Failures,
    clickhouse,
    entry::Order,
    kafka,
    keeper::Keeper,
    leftover::PidFile,
    ports::Ports,
    supervised::{Plan, Probe, Request, State, Supervised},
};

/// Takes every [`EngineEvent`]; called from the engines' tasks, so it must not block.
pub(crate) type Progress = Arc<dyn Fn(EngineEvent) + Send + Sync>;

/// Which engines to run, and how.
#[derive(Debug, Clone)]
pub struct EngineOptions {
    /// `None` when `kafka.brokers` names a running one.
    pub kafka: Option<KafkaOptions>,
    /// `None` when `clickhouse.url` names a running one.
    pub clickhouse: Option<ClickHouseOptions>,
    /// Where the engines are installed.
    pub installation: Installation,
    /// The binary with the hidden subcommand.
    pub launcher: Launcher,
    /// How long an engine may take from its process to its first answer.
    pub start_within: Duration,
    /// How long an engine may take to stop when it is restarted.
    pub stop_within: Duration,
    /// What happens after a crash.
    pub restart: RestartPolicy,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            kafka: Some(KafkaOptions::default()),
            clickhouse: Some(ClickHouseOptions::default()),
            installation: Installation::from_environment(),
            launcher: Launcher::current_exe(),
            start_within: Duration::from_mins(1),
            stop_within: Duration::from_secs(8),
            restart: RestartPolicy::default(),
        }
    }
}

/// Something to show: a bar, a line of the log.
#[derive(Debug, Clone)]
pub struct EngineEvent {
    /// Which engine.
    pub engine: EngineKind,
    /// What it does now.
    pub phase: EnginePhase,
}

/// The phases of an engine's life.
#[derive(Debug, Clone)]
pub enum EnginePhase {
    /// Its configuration is written, its data folder formatted.
    Preparing,
    /// Its process runs and is asked whether it is ready.
    Starting,
    /// It answers.
    Ready {
        /// Since its process was started.
        took: Duration,
    },
    /// It crashed and will be started again.
    Failed {
        /// What happened, with the end of its log.
        reason: String,
        /// The pause before the next start.
        retry_in: Duration,
    },
    /// It was asked to stop.
    Stopping,
    /// It stopped when asked to.
    Stopped,
    /// It will not be started again.
    GivenUp {
        /// Why, with the end of its log.
        reason: String,
    },
}

/// The running engines of one home.
///
/// Dropping it without [`Supervisor::stop`] ends the engines, too, but nobody
/// waits for them.
pub struct Supervisor {
    endpoints: EngineEndpoints,
    engines: Vec<Engine>,
    // Held for their locks, and dropped after the engines.
    _ports: Ports,
    home: EngineHome,
}

struct Engine {
    kind: EngineKind,
    requests: mpsc::Sender<Request>,
    state: watch::Receiver<State>,
    task: JoinHandle<()>,
}

impl Supervisor {
    /// Starts what `options` ask for, both at once, and returns when all are ready.
    ///
    /// # Errors
    /// The first engine's error that did not become ready; the other one is
    /// stopped then.
    pub async fn start(
        home: EngineHome,
        options: EngineOptions,
        progress: impl Fn(EngineEvent) + Send + Sync + 'static,
    ) -> Result<Self, Arc<EngineError>> {
        let mut starting = Starting {
            ports: Ports::load(home.ports()),
            progress: Arc::new(progress),
            endpoints: EngineEndpoints::default(),
            plans: Vec::new(),
            home: &home,
            options: &options,
        };
        starting.prepare_clickhouse().await?;
        starting.prepare_kafka().await?;
        starting.ports.save()?;
        let engines = starting
            .plans
            .into_iter()
            .map(|plan| Engine::start(plan, &options.restart, &starting.progress))
            .collect::<Result<_, EngineError>>()?;
        let mut supervisor =
            Self { endpoints: starting.endpoints, engines, _ports: starting.ports, home };
        if let Err(error) = supervisor.ready().await {
            supervisor.stop(options.stop_within).await;
            return Err(error);
        }
        Ok(supervisor)
    }

    /// Where the engines answer.
    pub fn endpoints(&self) -> &EngineEndpoints {
        &self.endpoints
    }

    /// The home the engines run in.
    pub fn home(&self) -> &EngineHome {
        &self.home
    }

    /// The pid of an engine's process, or `None` while it is not ready.
    pub fn pid(&self, engine: EngineKind) -> Option<u32> {
        let engine = self.engines.iter().find(|running| running.kind == engine)?;
        match *engine.state.borrow() {
            State::Ready { pid, .. } => Some(pid),
            State::Starting | State::GivenUp(_) | State::Stopped => None,
        }
    }

    /// Stops an engine cleanly and starts it again on the same ports; returns when
    /// it is ready.
    ///
    /// # Errors
    /// [`EngineError::NotSupervised`] when it is not embedded or was given up; its
    /// own error when it does not come back.
    pub async fn restart(&self, engine: EngineKind) -> Result<(), Arc<EngineError>> {
        let gone = || Arc::new(EngineError::NotSupervised { engine });
        let running =
            self.engines.iter().find(|running| running.kind == engine).ok_or_else(gone)?;
        let before = running.starts();
        running.requests.send(Request::Restart).await.map_err(|_| gone())?;
        running.ready_after(before).await
    }

    /// Resolves when an engine was given up, with the reason; never otherwise.
    pub async fn failed(&self) -> Arc<EngineError> {
        let mut waiting = JoinSet::new();
        for engine in &self.engines {
            let mut state = engine.state.clone();
            waiting.spawn(async move {
                match state.wait_for(|state| matches!(state, State::GivenUp(_))).await {
                    Ok(state) => match &*state {
                        State::GivenUp(error) => Some(Arc::clone(error)),
                        State::Starting | State::Ready { .. } | State::Stopped => None,
                    },
                    Err(_) => None, // it was stopped
                }
            });
        }
        while let Some(ended) = waiting.join_next().await {
            if let Ok(Some(error)) = ended {
                return error;
            }
        }
        std::future::pending().await
    }

    /// Stops all engines at once, cleanly where `within` allows, and gives back
    /// the home. What does not stop in time is killed.
    pub async fn stop(self, within: Duration) -> EngineHome {
        let deadline = Instant::now() + within;
        for engine in &self.engines {
            // A task that ended already has stopped its engine.
            let _ = engine.requests.send(Request::Stop(deadline)).await;
        }
        for engine in self.engines {
            if let Err(error) = engine.task.await {
                tracing::error!(engine = %engine.kind, %error, "the engine's task failed");
            }
        }
        self.home
    }

    async fn ready(&mut self) -> Result<(), Arc<EngineError>> {
        for engine in &self.engines {
            engine.ready_after(0).await?;
        }
        Ok(())
    }
}

impl fmt::Debug for Supervisor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Supervisor")
            .field("home", &self.home)
            .field("endpoints", &self.endpoints)
            .finish_non_exhaustive()
    }
}

impl Engine {
    fn start(
        plan: Plan,
        restart: &RestartPolicy,
        progress: &Progress,
    ) -> Result<Self, EngineError> {
        let kind = plan.engine;
        let keeper = Keeper::new(kind).map_err(|source| EngineError::Spawn {
            engine: kind,
            program: plan.launcher.program().to_owned(),
            source,
        })?;
        let (requests, inbox) = mpsc::channel(4);
        let (sender, state) = watch::channel(State::Starting);
        let supervised = Supervised {
            plan,
            keeper,
            failures: Failures::new(restart.clone()),
            state: sender,
            progress: Arc::clone(progress),
            starts: 0,
        };
        Ok(Self { kind, requests, state, task: tokio::spawn(supervised.run(inbox)) })
    }

    fn starts(&self) -> u64 {
        match *self.state.borrow() {
            State::Ready { starts, .. } => starts,
            State::Starting | State::GivenUp(_) | State::Stopped => 0,
        }
    }

    /// Waits until the engine is ready for more than the `before`th time.
    async fn ready_after(&self, before: u64) -> Result<(), Arc<EngineError>> {
        let mut state = self.state.clone();
        let settled = state
            .wait_for(|state| match state {
                State::Ready { starts, .. } => *starts > before,
                State::Starting => false,
                State::GivenUp(_) | State::Stopped => true,
            })
            .await;
        match settled.as_deref() {
            Ok(State::Ready { .. }) => Ok(()),
            Ok(State::GivenUp(error)) => Err(Arc::clone(error)),
            Ok(State::Starting | State::Stopped) | Err(_) => {
                Err(Arc::new(EngineError::NotSupervised { engine: self.kind }))
            }
        }
    }
}

/// What is known while the engines are being prepared.
struct Starting<'a> {
    home: &'a EngineHome,
    options: &'a EngineOptions,
    ports: Ports,
    progress: Progress,
    endpoints: EngineEndpoints,
    plans: Vec<Plan>,
}

impl Starting<'_> {
    async fn prepare_clickhouse(&mut self) -> Result<(), EngineError> {
        let Some(options) = &self.options.clickhouse else {
            return Ok(());
        };
        let pid_file = self.clear_way(EngineKind::ClickHouse).await?;
        let prepared =
            clickhouse::prepare(self.home, &self.options.installation, options, &mut self.ports)?;
        let probe = Probe::ClickHouse(clickhouse::Probe::new(prepared.endpoint.clone()));
        self.plan(EngineKind::ClickHouse, &prepared.order, probe, pid_file)?;
        self.endpoints.clickhouse = Some(prepared.endpoint);
        Ok(())
    }

    async fn prepare_kafka(&mut self) -> Result<(), EngineError> {
        let Some(options) = &self.options.kafka else {
            return Ok(());
        };
        let pid_file = self.clear_way(EngineKind::Kafka).await?;
        let prepared =
            kafka::prepare(self.home, &self.options.installation, options, &mut self.ports).await?;
        let probe = Probe::Kafka { port: prepared.port };
        self.plan(EngineKind::Kafka, &prepared.order, probe, pid_file)?;
        self.endpoints.kafka = Some(prepared.endpoint);
        Ok(())
    }

    /// Before its ports are chosen, so that it gets the ones it had before.
    async fn clear_way(&self, engine: EngineKind) -> Result<PidFile, EngineError> {
        (self.progress)(EngineEvent { engine, phase: EnginePhase::Preparing });
        let pid_file = PidFile::in_folder(&self.home.engine_folder(engine)?);
        pid_file.clear().await;
        Ok(pid_file)
    }

    fn plan(
        &mut self,
        engine: EngineKind,
        order: &Order,
        probe: Probe,
        pid_file: PidFile,
    ) -> Result<(), EngineError> {
        let order = serde_json::to_string(order)
            .map_err(|error| EngineError::home("write", self.home.root())(error.into()))?;
        self.plans.push(Plan {
            engine,
            launcher: self.options.launcher.clone(),
            order,
            probe,
            pid_file,
            log: self.home.log(engine),
            output: self.home.output(engine),
            start_within: self.options.start_within,
            stop_within: self.options.stop_within,
        });
        Ok(())
    }
}
