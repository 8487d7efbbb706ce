//! Ports on 127.0.0.1: the same ones as last time, else the preferred ones, else
//! any free one below the ephemeral range.

use std::{
    collections::BTreeMap,
    fs,
    net::{Ipv4Addr, TcpListener},
    os::{
        linux::net::SocketAddrExt,
        unix::net::{SocketAddr, UnixListener},
    },
    path::PathBuf,
};

use rand::Rng;

use crate::{EngineError, home::write_atomically};

/// Where to look when the preferred port is taken. Below 32768, where Linux takes
/// the local ports of outgoing connections from: such a connection could sit on
/// an engine's port just when the engine is restarted.
const SEARCHED: std::ops::Range<u16> = 20_000..32_000;
const TRIES: usize = 500;

/// Hands out ports and remembers them in the home's `ports.json`.
#[derive(Debug)]
pub(crate) struct Ports {
    path: PathBuf,
    remembered: BTreeMap<String, u16>,
    reserved: Vec<Reservation>,
}

/// A port promised to this process. Two supervisors that start at the same moment
/// both find a port free; only one of them gets its abstract socket (unix(7)),
/// which the kernel frees when the process ends.
#[derive(Debug)]
struct Reservation {
    _socket: UnixListener,
}

impl Reservation {
    fn take(port: u16) -> Option<Self> {
        let name = format!("echolot-engine-port-{port}");
        let address = SocketAddr::from_abstract_name(name).ok()?;
        let socket = UnixListener::bind_addr(&address).ok()?;
        Some(Self { _socket: socket })
    }
}

impl Ports {
    /// Reads the ports of the last start; a file that cannot be read counts as none.
    pub(crate) fn load(path: PathBuf) -> Self {
        let remembered = fs::read(&path)
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default();
        Self { path, remembered, reserved: Vec::new() }
    }

    /// A free port for `what`, reserved for as long as this value lives.
    pub(crate) fn choose(
        &mut self,
        what: &'static str,
        preferred: u16,
    ) -> Result<u16, EngineError> {
        let mut random = rand::rng();
        let candidates = self
            .remembered
            .get(what)
            .copied()
            .into_iter()
            .chain([preferred])
            .chain((0..TRIES).map(|_| random.random_range(SEARCHED)));
        for port in candidates {
            if let Some(reservation) = reserve_if_free(port) {
                self.reserved.push(reservation);
                self.remembered.insert(what.to_owned(), port);
                return Ok(port);
            }
        }
        Err(EngineError::NoFreePort { what, preferred, tried: TRIES })
    }

    /// Remembers the chosen ports for the next start.
    pub(crate) fn save(&self) -> Result<(), EngineError> {
        let text = serde_json::to_string_pretty(&self.remembered)
            .map_err(|error| EngineError::home("write", &self.path)(error.into()))?;
        write_atomically(&self.path, &text)
    }
}

fn reserve_if_free(port: u16) -> Option<Reservation> {
    let reservation = Reservation::take(port)?;
    // Port 0 would always bind, to some other port.
    let free = port != 0 && TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
    free.then_some(reservation)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn free_port() -> u16 {
        let mut ports = Ports::load(PathBuf::from("/nowhere"));
        ports.choose("test", 0).unwrap()
    }

    #[test]
    fn a_taken_port_is_dodged() {
        let preferred = free_port();
        let _squatter = TcpListener::bind((Ipv4Addr::LOCALHOST, preferred)).unwrap();
        let mut ports = Ports::load(PathBuf::from("/nowhere"));
        let chosen = ports.choose("test", preferred).unwrap();
        assert_ne!(chosen, preferred);
        assert!(SEARCHED.contains(&chosen));
    }

    #[test]
    fn a_port_promised_to_another_supervisor_is_dodged_before_it_is_bound() {
        let preferred = free_port();
        let mut first = Ports::load(PathBuf::from("/nowhere"));
        let mut second = Ports::load(PathBuf::from("/nowhere"));
        assert_eq!(first.choose("test", preferred).unwrap(), preferred);
        assert_ne!(second.choose("test", preferred).unwrap(), preferred);
    }

    #[test]
    fn the_ports_of_the_last_start_come_first() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ports.json");
        let (first, other) = (free_port(), free_port());
        let mut ports = Ports::load(path.clone());
        assert_eq!(ports.choose("test", first).unwrap(), first);
        ports.save().unwrap();
        drop(ports);

        let mut ports = Ports::load(path);
        assert_eq!(ports.choose("test", other).unwrap(), first);
    }
}
