//! `[sink]`.

use std::{fmt, time::Duration};

use bytesize::ByteSize;
use echolot_pipeline::settings::{Problems, WorkerSettings};
use serde::{Deserialize, Deserializer, de};

/// `[sink]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SinkSettings {
    /// Which generation to write.
    pub generation: GenerationChoice,
    /// Most memory for remembering which mentions were seen.
    pub sightings_memory: ByteSize,
    /// How long stored mentions may stay uncounted while further batches wait.
    #[serde(with = "humantime_serde")]
    pub count_within: Duration,
    /// Batching.
    pub worker: WorkerSettings,
}

/// Which generation a role works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GenerationChoice {
    /// The one that the views show.
    Promoted,
    /// This one, promoted or not.
    Number(u32),
}

impl SinkSettings {
    /// Notes everything wrong with these settings.
    pub fn validate(&self, problems: &mut Problems) {
        problems.check(
            self.generation != GenerationChoice::Number(0),
            "sink.generation",
            "must be \"promoted\" or a number from 1",
        );
        problems.check(
            (ByteSize::kib(64)..=ByteSize::gib(16)).contains(&self.sightings_memory),
            "sink.sightings_memory",
            "must be 64KiB to 16GiB",
        );
        problems.check(
            self.count_within <= Duration::from_secs(10),
            "sink.count_within",
            "must be at most 10s",
        );
        self.worker.validate("sink.worker", problems);
    }
}

impl<'de> Deserialize<'de> for GenerationChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ChoiceVisitor)
    }
}

/// Environment variables are text, so a number may come as one.
struct ChoiceVisitor;

impl de::Visitor<'_> for ChoiceVisitor {
    type Value = GenerationChoice;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"promoted\" or the number of a generation")
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Self::Value, E> {
        u32::try_from(number)
            .map(GenerationChoice::Number)
            .map_err(|_| E::invalid_value(de::Unexpected::Unsigned(number), &self))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Self::Value, E> {
        u32::try_from(number)
            .map(GenerationChoice::Number)
            .map_err(|_| E::invalid_value(de::Unexpected::Signed(number), &self))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        match text {
            "promoted" => Ok(GenerationChoice::Promoted),
            number => number
                .parse()
                .map(GenerationChoice::Number)
                .map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Sections {
        sink: SinkSettings,
    }

    fn shipped() -> Sections {
        toml::from_str(include_str!("../default.toml")).unwrap()
    }

    #[test]
    fn the_shipped_settings_have_no_problem() {
        let Sections { sink } = shipped();
        let mut problems = Problems::default();
        sink.validate(&mut problems);
        assert_eq!(problems.into_vec(), []);
        assert_eq!(sink.generation, GenerationChoice::Promoted);
    }

    #[test]
    fn a_generation_may_come_as_text_from_the_environment() {
        #[derive(Deserialize)]
        struct Chosen {
            generation: GenerationChoice,
        }
        let chosen = |text: &str| toml::from_str::<Chosen>(text).map(|c| c.generation);
        assert_eq!(chosen("generation = 2").unwrap(), GenerationChoice::Number(2));
        assert_eq!(chosen("generation = '2'").unwrap(), GenerationChoice::Number(2));
        assert!(chosen("generation = 'next'").is_err());
        assert!(chosen("generation = -1").is_err());
    }
}
