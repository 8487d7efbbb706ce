//! Which addresses may be reached: public ones, and those that the operator lists.
//!
//! A feed's address, a redirect or a name that changes its mind (DNS rebinding) must not lead into
//! the network that this process runs in, least of all to a cloud's metadata service. So every
//! address is judged when it is about to be connected to, and never by its name alone.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use ipnet::IpNet;
use url::{Host, Url};

/// An entry of `ingest.http.allow`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Allowed {
    /// An address or a network.
    Net(IpNet),
    /// A host name, whatever it resolves to.
    Host(String),
}

/// An entry that is neither address nor network nor host name.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} must be an address (10.1.2.3), a network (10.0.0.0/8) or a host name (forum.intern)"
)]
pub struct InvalidEntry(String);

impl FromStr for Allowed {
    type Err = InvalidEntry;

    fn from_str(entry: &str) -> Result<Self, Self::Err> {
        if let Ok(net) = entry.parse::<IpNet>() {
            return Ok(Self::Net(net));
        }
        let bare = entry.trim_start_matches('[').trim_end_matches(']');
        if let Ok(address) = bare.parse::<IpAddr>() {
            return Ok(Self::Net(address.into()));
        }
        match Host::parse(entry) {
            Ok(Host::Domain(name)) if entry.len() <= 253 => Ok(Self::Host(name)),
            _ => Err(InvalidEntry(entry.chars().take(80).collect())),
        }
    }
}

/// Why something must not be reached.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// An address that is not public.
    #[error("{host} is at {address}, {class}; list it in ingest.http.allow if it is meant")]
    Address {
        /// The host as it was named.
        host: String,
        /// Where it is.
        address: IpAddr,
        /// What kind of address that is.
        class: &'static str,
    },
    /// Neither http nor https (ws, wss).
    #[error("{0} is no web address: only http, https, ws and wss are spoken")]
    Scheme(String),
    /// A URL without a host.
    #[error("{0} names no host")]
    NoHost(String),
}

/// Judges addresses. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Guard {
    nets: Vec<IpNet>,
    hosts: Vec<String>,
}

impl Guard {
    /// A guard that lets these through besides everything public.
    pub fn new(allowed: impl IntoIterator<Item = Allowed>) -> Self {
        let mut guard = Self::default();
        for entry in allowed {
            match entry {
                Allowed::Net(net) => guard.nets.push(net),
                Allowed::Host(name) => guard.hosts.push(name),
            }
        }
        guard
    }

    /// Judges what a URL says by itself: its scheme, and its host where that is an address.
    ///
    /// The parser has made a dotted address of decimal, octal and hexadecimal ones before.
    pub fn check_url(&self, url: &Url) -> Result<(), Refused> {
        if !matches!(url.scheme(), "http" | "https" | "ws" | "wss") {
            return Err(Refused::Scheme(url.scheme().to_owned()));
        }
        match url.host() {
            None => Err(Refused::NoHost(url.as_str().chars().take(200).collect())),
            Some(Host::Domain(_)) => Ok(()),
            Some(Host::Ipv4(address)) => self.check(&address.to_string(), address.into()),
            Some(Host::Ipv6(address)) => self.check(&address.to_string(), address.into()),
        }
    }

    /// Judges the address that `host` is at.
    pub fn check(&self, host: &str, address: IpAddr) -> Result<(), Refused> {
        let judged = embedded(address);
        let listed = self.hosts.iter().any(|name| name.eq_ignore_ascii_case(host))
            || self.nets.iter().any(|net| net.contains(&judged) || net.contains(&address));
        match class(judged) {
            Some(class) if !listed => {
                Err(Refused::Address { host: host.to_owned(), address, class })
            }
            _ => Ok(()),
        }
    }
}

/// The IPv4 address that an IPv6 one stands for: mapped, compatible, NAT64 (RFC 6052), 6to4.
fn embedded(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    let v4 = |[high, low]: [u16; 2]| {
        IpAddr::V4(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)))
    };
    match v6.segments() {
        [0, 0, 0, 0, 0, 0xffff, last @ ..]
        | [0, 0, 0, 0, 0xffff, 0, last @ ..]
        | [0x64, 0xff9b, 0, 0, 0, 0, last @ ..] => v4(last),
        [0, 0, 0, 0, 0, 0, high, low] if high > 0 => v4([high, low]),
        [0x2002, high, low, ..] => v4([high, low]),
        _ => address,
    }
}

/// What kind of address this is, where it is not a public one (IANA special-purpose registries).
fn class(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(v4) => class_v4(v4),
        IpAddr::V6(v6) => class_v6(v6),
    }
}

fn class_v4(address: Ipv4Addr) -> Option<&'static str> {
    let [a, b, c, d] = address.octets();
    match (a, b, c, d) {
        (0, ..) => Some("this network"),
        (127, ..) => Some("a loopback address"),
        (10, ..) | (172, 16..=31, ..) | (192, 168, ..) => Some("a private address"),
        (100, 64..=127, ..) => Some("a carrier's private address"),
        (169, 254, ..) => Some("a link-local address, where clouds keep their metadata"),
        (168, 63, 129, 16) => Some("a cloud's metadata service"),
        (192, 0, 0 | 2, _) | (198, 18..=19, ..) | (198, 51, 100, _) | (203, 0, 113, _) => {
            Some("a reserved address")
        }
        (224..=255, ..) => Some("a multicast or reserved address"),
        _ => None,
    }
}

fn class_v6(address: Ipv6Addr) -> Option<&'static str> {
    if address.is_loopback() || address.is_unspecified() {
        return Some("a loopback address");
    }
    match address.segments() {
        [0xfc00..=0xfdff, ..] => Some("a private address"),
        [0xfe80..=0xfebf, ..] => Some("a link-local address"),
        [0xfec0..=0xfeff, ..] => Some("a site-local address"),
        [0xff00..=0xffff, ..] => Some("a multicast address"),
        [0x2001, 0xdb8 | 0, ..] | [0x100, 0, 0, 0, ..] | [0x64, 0xff9b, 1, ..] => {
            Some("a reserved address")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(allow: &[&str]) -> Guard {
        Guard::new(allow.iter().map(|entry| entry.parse().unwrap()))
    }

    fn refused(guard: &Guard, url: &str) -> bool {
        guard.check_url(&Url::parse(url).unwrap()).is_err()
    }

    #[test]
    fn every_spelling_of_an_inner_address_is_refused() {
        let guard = guard(&[]);
        for url in [
            "http://127.0.0.1/",
            "http://2130706433/",
            "http://0x7f000001/",
            "http://0177.0.0.1/",
            "http://127.1/",
            "http://0/",
            "http://10.1.2.3/",
            "http://172.31.255.255/",
            "http://192.168.0.1/",
            "http://100.64.0.1/",
            "http://169.254.169.254/latest/meta-data",
            "http://168.63.129.16/",
            "http://224.0.0.1/",
            "http://255.255.255.255/",
            "http://[::1]/",
            "http://[::]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[::ffff:a9fe:a9fe]/",
            "http://[::127.0.0.1]/",
            "http://[64:ff9b::10.0.0.1]/",
            "http://[2002:7f00:1::]/",
            "http://[fd00:ec2::254]/",
            "http://[fe80::1]/",
            "wss://[fec0::1]/",
        ] {
            assert!(refused(&guard, url), "{url}");
        }
    }

    #[test]
    fn public_addresses_pass() {
        let guard = guard(&[]);
        for url in [
            "http://9.9.9.9/",
            "https://[2620:fe::fe]/",
            "http://172.32.0.1/",
            "wss://example.org/",
        ] {
            assert!(!refused(&guard, url), "{url}");
        }
    }

    #[test]
    fn other_schemes_are_refused() {
        for url in ["file:///etc/passwd", "ftp://example.org/", "gopher://example.org/"] {
            assert!(refused(&guard(&["127.0.0.1"]), url), "{url}");
        }
    }

    #[test]
    fn what_the_operator_lists_may_be_reached_and_nothing_beside_it() {
        let guard = guard(&["127.0.0.1", "10.1.0.0/16", "forum.intern"]);
        assert!(!refused(&guard, "http://127.0.0.1/"));
        assert!(!refused(&guard, "http://[::ffff:127.0.0.1]/"));
        assert!(refused(&guard, "http://127.0.0.2/"));
        assert!(!refused(&guard, "http://10.1.9.9/"));
        assert!(refused(&guard, "http://10.2.0.1/"));
        let inner = "192.168.1.1".parse().unwrap();
        assert!(guard.check("forum.intern", inner).is_ok());
        assert!(guard.check("evil.example", inner).is_err());
    }

    #[test]
    fn an_entry_that_is_nothing_is_told() {
        assert!("10.0.0.0/99".parse::<Allowed>().is_err());
        assert!("http://forum".parse::<Allowed>().is_err());
    }
}
