//! Prints the description of the API.

use std::io::Write as _;

fn main() -> anyhow::Result<()> {
    let description = echolot_dashboard::openapi().to_pretty_json()?;
    writeln!(std::io::stdout().lock(), "{description}")?;
    Ok(())
}
