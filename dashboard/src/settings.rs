//! `[dashboard]`.

use std::{net::SocketAddr, time::Duration};

use bytesize::ByteSize;
use echolot_pipeline::settings::{Problems, Secret};
use echolot_store::{ReaderLimits, ReaderLogin};
use serde::Deserialize;

/// Rows that one answer of the store may have; every question here limits itself to fewer.
const MAX_ROWS: u64 = 100_000;

/// `[dashboard]`: where the pages are served, and how the store is read for them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DashboardSettings {
    /// Address of the pages; loopback, since there is no login.
    pub listen: String,
    /// User of the store that only reads; empty for that of the embedded server.
    pub user: String,
    /// Its password.
    pub password: Secret,
    /// How long one question to the store may take.
    #[serde(with = "humantime_serde")]
    pub timeout: Duration,
    /// Memory one question may take.
    pub memory: ByteSize,
    /// Threads one question may use.
    pub threads: u32,
    /// Questions asked at once.
    pub concurrency: usize,
}

impl DashboardSettings {
    /// Notes everything wrong with these settings.
    pub fn validate(&self, problems: &mut Problems) {
        let mut check = |ok, name: &str, message: &str| {
            problems.check(ok, &format!("dashboard.{name}"), message);
        };
        let address = self.listen.parse::<SocketAddr>().ok();
        check(address.is_some(), "listen", "must be an address and a port, such as 127.0.0.1:8090");
        check(
            address.is_none_or(|address| address.ip().is_loopback()),
            "listen",
            "must be a loopback address such as 127.0.0.1:8090: the pages have no login; for \
             others, put a proxy with a login in front of them",
        );
        let times = Duration::from_secs(1)..=Duration::from_mins(5);
        check(times.contains(&self.timeout), "timeout", "must be 1s to 5m");
        let memory = ByteSize::mib(64)..=ByteSize::gib(64);
        check(memory.contains(&self.memory), "memory", "must be 64MiB to 64GiB");
        check((1..=64).contains(&self.threads), "threads", "must be 1 to 64");
        check((1..=256).contains(&self.concurrency), "concurrency", "must be 1 to 256");
    }

    /// Who reads.
    pub fn login(&self) -> ReaderLogin {
        ReaderLogin { user: self.user.clone(), password: self.password.clone() }
    }

    /// What one question may use.
    pub(crate) fn limits(&self) -> ReaderLimits {
        ReaderLimits {
            timeout: self.timeout,
            memory_bytes: self.memory.as_u64(),
            threads: self.threads,
            rows: MAX_ROWS,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shipped() -> DashboardSettings {
        #[derive(Deserialize)]
        struct Sections {
            dashboard: DashboardSettings,
        }
        toml::from_str::<Sections>(include_str!("../default.toml")).unwrap().dashboard
    }

    fn wrong(settings: &DashboardSettings) -> Vec<String> {
        let mut problems = Problems::default();
        settings.validate(&mut problems);
        problems.into_vec().into_iter().map(|problem| problem.path).collect()
    }

    #[test]
    fn the_shipped_settings_have_no_problem() {
        assert_eq!(wrong(&shipped()), [""; 0]);
    }

    #[test]
    fn an_address_that_others_reach_is_refused() {
        for listen in ["0.0.0.0:8090", "[::]:8090", "192.168.1.4:80", "localhost"] {
            let settings = DashboardSettings { listen: listen.to_owned(), ..shipped() };
            assert_eq!(wrong(&settings), ["dashboard.listen"], "{listen}");
        }
        assert_eq!(
            wrong(&DashboardSettings { listen: "[::1]:1".to_owned(), ..shipped() }),
            [""; 0]
        );
    }
}
