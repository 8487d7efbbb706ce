//! Roles killed at random moments under a steady load, then the account.

use std::{
    fmt,
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};

use crate::{
    engines::{self, Endpoints, Engines},
    law::Account,
    load::Load,
    pipeline::{Pipeline, Roles, Site},
    role::RoleName,
};

/// Longest pause between two kills.
const PAUSE_MILLIS: u64 = 2_000;
/// Longest time a killed role stays dead.
const DEAD_MILLIS: u64 = 500;
/// Of so many kills one is followed by the next while the role still starts or joins its group.
const HASTY_ONE_IN: u32 = 4;
/// How long the first mentions may take.
const FIRST: Duration = Duration::from_mins(1);

/// What to do.
#[derive(Clone, Debug)]
pub struct Torture {
    /// The binary.
    pub echolot: PathBuf,
    /// Where engines and roles keep their data.
    pub folder: PathBuf,
    /// How many kills.
    pub kills: u32,
    /// New mentions a second.
    pub per_second: u32,
    /// Decides who is killed and when.
    pub seed: u64,
    /// Options of every role, as `key=value`.
    pub options: Vec<String>,
}

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    /// How many roles were killed.
    pub kills: u32,
    /// Mentions pushed and acknowledged.
    pub pushed: u64,
    /// From the kill to being ready again, where that was waited for.
    pub recoveries: Vec<(RoleName, Duration)>,
    /// How long the rest took to be worked off, the audit included.
    pub drained_in: Duration,
    /// Where everything is.
    pub account: Account,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} mentions pushed; {}", self.pushed, self.account)?;
        writeln!(f, "worked off and audited in {:.1} s", self.drained_in.as_secs_f64())?;
        for role in RoleName::ALL {
            let mut times: Vec<Duration> = self
                .recoveries
                .iter()
                .filter(|(of, _)| *of == role)
                .map(|(_, took)| *took)
                .collect();
            times.sort_unstable();
            let (Some(median), Some(longest)) = (times.get(times.len() / 2), times.last()) else {
                continue;
            };
            writeln!(
                f,
                "{role}: ready again {:.1} s after a kill (median of {}), at most {:.1} s",
                median.as_secs_f64(),
                times.len(),
                longest.as_secs_f64()
            )?;
        }
        write!(
            f,
            "kills {} lost {} doubled {}",
            self.kills,
            self.account.lost.len(),
            self.account.doubled.len() + self.account.unexplained.len()
        )
    }
}

impl Torture {
    /// Starts engines and roles of its own, kills, drains, audits; `told` hears of every kill.
    pub async fn run(&self, told: impl FnMut(u32, RoleName)) -> anyhow::Result<Outcome> {
        let home = self.folder.join("home");
        let engines = Engines::start(&home, engines::options(&self.echolot)).await?;
        let site = Site {
            echolot: self.echolot.clone(),
            folder: self.folder.clone(),
            endpoints: Endpoints::of(engines.endpoints(), engines.endpoints())?,
        };
        let outcome = self.on(&site, told).await;
        engines.stop().await;
        outcome
    }

    /// As [`Torture::run`], on engines that are there.
    pub async fn on(
        &self,
        site: &Site,
        told: impl FnMut(u32, RoleName),
    ) -> anyhow::Result<Outcome> {
        let mut pipeline = Pipeline::new(site, "torture")?;
        for option in &self.options {
            pipeline.change(option);
        }
        let mut roles = pipeline.start().await?;
        let load = pipeline.load("t", self.per_second)?;
        load.until_sent(1, FIRST).await?;
        let recoveries = self.kill(&mut roles, told).await?;
        for name in RoleName::ALL {
            roles.get(name)?.until_ready().await?;
        }
        self.end(&pipeline, load, recoveries).await
    }

    async fn kill(
        &self,
        roles: &mut Roles,
        mut told: impl FnMut(u32, RoleName),
    ) -> anyhow::Result<Vec<(RoleName, Duration)>> {
        let mut random = StdRng::seed_from_u64(self.seed);
        let mut recoveries = Vec::new();
        for number in 1..=self.kills {
            pause(random.random_range(0..PAUSE_MILLIS)).await;
            let name = *RoleName::ALL.choose(&mut random).context("there are roles")?;
            told(number, name);
            let role = roles.get(name)?;
            let killed = Instant::now();
            role.kill().await?;
            pause(random.random_range(0..DEAD_MILLIS)).await;
            role.restart().await?;
            if !random.random_ratio(1, HASTY_ONE_IN) {
                role.until_ready().await?;
                recoveries.push((name, killed.elapsed()));
            }
        }
        Ok(recoveries)
    }

    async fn end(
        &self,
        pipeline: &Pipeline,
        load: Load,
        recoveries: Vec<(RoleName, Duration)>,
    ) -> anyhow::Result<Outcome> {
        let pushed = load.finish().await?;
        ensure!(pushed > 0, "nothing was pushed, so nothing was tested");
        let ended = Instant::now();
        let account = pipeline.account().await?;
        let drained_in = ended.elapsed();
        Ok(Outcome { kills: self.kills, pushed, recoveries, drained_in, account })
    }
}

async fn pause(millis: u64) {
    tokio::time::sleep(Duration::from_millis(millis)).await;
}

/// A seed that nobody chose.
pub fn any_seed() -> u64 {
    rand::rng().random()
}
