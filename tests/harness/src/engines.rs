//! The real engines: one pair shared by a whole test binary, or own ones to be broken.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::mpsc,
    time::Duration,
};

use anyhow::{Context, anyhow};
use echolot_engines::{
    EngineEndpoints, EngineHome, EngineKind, EngineOptions, KafkaOptions, Launcher, Supervisor,
};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use secrecy::SecretString;
use tokio::sync::OnceCell;

use crate::wait::eventually;

/// How long own engines may take to stop.
const STOP: Duration = Duration::from_secs(10);
/// How long a killed engine may take to be back.
const BACK: Duration = Duration::from_mins(1);

/// Where a pair of engines answers.
#[derive(Clone, Debug)]
pub struct Endpoints {
    /// `kafka.brokers`.
    pub brokers: String,
    /// `clickhouse.url`.
    pub url: String,
    /// `clickhouse.user`.
    pub user: String,
    /// `clickhouse.password`.
    pub password: SecretString,
}

impl Endpoints {
    /// Of a Kafka and a ClickHouse, which may belong to different homes.
    pub fn of(kafka: &EngineEndpoints, clickhouse: &EngineEndpoints) -> anyhow::Result<Self> {
        let kafka = kafka.kafka.as_ref().context("Kafka was not asked for")?;
        let store = clickhouse.clickhouse.as_ref().context("ClickHouse was not asked for")?;
        Ok(Self {
            brokers: kafka.brokers.clone(),
            url: store.url.clone(),
            user: store.application.user.clone(),
            password: store.application.password.clone(),
        })
    }
}

/// Options of engines that share a machine with many roles.
pub fn options(echolot: &Path) -> EngineOptions {
    EngineOptions {
        kafka: Some(KafkaOptions { heap_mib: 384, ..KafkaOptions::default() }),
        launcher: Launcher::at(echolot),
        ..EngineOptions::default()
    }
}

/// Engines of one scenario alone.
pub struct Engines {
    supervisor: Supervisor,
}

impl Engines {
    /// Starts what `options` ask for in `folder`, on what is there already.
    pub async fn start(folder: &Path, options: EngineOptions) -> anyhow::Result<Self> {
        let home = EngineHome::open(folder)?;
        Self::resume(home, options).await
    }

    async fn resume(home: EngineHome, options: EngineOptions) -> anyhow::Result<Self> {
        let supervisor =
            Supervisor::start(home, options, |_| {}).await.map_err(|error| anyhow!("{error}"))?;
        Ok(Self { supervisor })
    }

    /// Where they answer.
    pub fn endpoints(&self) -> &EngineEndpoints {
        self.supervisor.endpoints()
    }

    /// `kill -9`; returns once their supervisor has started it again and it answers.
    pub async fn crash(&self, engine: EngineKind) -> anyhow::Result<()> {
        let killed =
            self.supervisor.pid(engine).with_context(|| format!("{engine} is not ready"))?;
        kill(Pid::from_raw(killed.cast_signed()), Signal::SIGKILL)
            .with_context(|| format!("cannot kill {engine}"))?;
        let what = format!("{engine} is back");
        eventually(&what, BACK, || async {
            let back = self.supervisor.pid(engine).filter(|pid| *pid != killed);
            Ok(back.map(|_| ()))
        })
        .await
    }

    /// Stops them and starts them again with other options on the same data.
    pub async fn restart_with(self, options: EngineOptions) -> anyhow::Result<Self> {
        let home = self.supervisor.stop(STOP).await;
        Self::resume(home, options).await
    }

    /// Stops them.
    pub async fn stop(self) {
        self.supervisor.stop(STOP).await;
    }
}

/// The pair that all scenarios of a test binary share, started by whichever comes first in
/// `folder`, emptied before. They end with this process.
pub async fn shared(echolot: &'static str, folder: PathBuf) -> anyhow::Result<&'static Endpoints> {
    static SHARED: OnceCell<Endpoints> = OnceCell::const_new();
    SHARED
        .get_or_try_init(|| async {
            let started = tokio::task::spawn_blocking(move || start_shared(echolot, &folder));
            started.await.context("the engines' thread panicked")?
        })
        .await
}

/// On a thread with a runtime of its own, since the tests' runtimes end with them.
fn start_shared(echolot: &'static str, folder: &Path) -> anyhow::Result<Endpoints> {
    empty(folder)?;
    let folder = folder.to_owned();
    let (tell, told) = mpsc::channel();
    std::thread::Builder::new().name("engines".to_owned()).spawn(move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
            return;
        };
        runtime.block_on(async {
            let started = Engines::start(&folder, options(Path::new(echolot))).await;
            let outcome = started.and_then(|engines| {
                Ok((Endpoints::of(engines.endpoints(), engines.endpoints())?, engines))
            });
            match outcome {
                Ok((endpoints, engines)) => {
                    // Whoever asked may have been given up; the engines serve the next one.
                    let _ = tell.send(Ok(endpoints));
                    panic!("{}", engines.supervisor.failed().await);
                }
                Err(error) => {
                    let _ = tell.send(Err(error));
                }
            }
        });
    })?;
    told.recv().context("the engines' thread ended without a word")?
}

/// Removes what an earlier run left. One that still runs holds the lock, and is left alone.
pub fn empty(folder: &Path) -> anyhow::Result<()> {
    if folder.exists() {
        let _idle = EngineHome::open(folder)?;
        fs::remove_dir_all(folder).with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    Ok(())
}
