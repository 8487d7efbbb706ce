//! Finds a Java runtime that is new enough for Kafka.

use std::{env, path::PathBuf};

use tokio::process::Command;

use crate::EngineError;

/// Kafka 4 brokers need Java 17 (Kafka documentation, "Java Version").
const NEEDED: u32 = 17;

/// The program to run: `$JAVA_HOME/bin/java` when that is set, else `java`.
pub(crate) async fn find() -> Result<PathBuf, EngineError> {
    let program = env::var_os("JAVA_HOME")
        .filter(|home| !home.is_empty())
        .map_or_else(|| PathBuf::from("java"), |home| PathBuf::from(home).join("bin/java"));
    let shown = program.display().to_string();
    let output = Command::new(&program).arg("-version").kill_on_drop(true).output().await.map_err(
        |source| EngineError::JavaMissing { tried: shown.clone(), needed: NEEDED, source },
    )?;
    let banner = String::from_utf8_lossy(&output.stderr);
    match major_version(&banner) {
        Some(major) if major >= NEEDED => Ok(program),
        _ => Err(EngineError::JavaTooOld {
            program: shown,
            found: banner.lines().next().unwrap_or("unknown").to_owned(),
            needed: NEEDED,
        }),
    }
}

/// `openjdk version "17.0.15" 2025-04-15` is 17, `java version "1.8.0_412"` is 1:
/// releases before 9 count as too old either way.
fn major_version(banner: &str) -> Option<u32> {
    let quoted = banner.split('"').nth(1)?;
    let digits = quoted.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_read_from_every_usual_banner() {
        for (banner, major) in [
            ("openjdk version \"17.0.15\" 2025-04-15", Some(17)),
            ("openjdk version \"21\" 2023-09-19", Some(21)),
            ("openjdk version \"25-ea\" 2025-09-16", Some(25)),
            ("java version \"1.8.0_412\"", Some(1)),
            ("command not found", None),
        ] {
            assert_eq!(major_version(banner), major, "{banner}");
        }
    }
}
