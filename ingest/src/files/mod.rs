//! placeholder
#[derive(Debug)]
pub struct TimeZoneRule;
impl TimeZoneRule {
    pub fn parse(_: &str) -> Result<Self, std::fmt::Error> {
        Ok(Self)
    }
}
