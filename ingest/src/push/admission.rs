//! How much may be at work at the same time. What is past it is answered 429 at once: a sender that
//! waits and tries again is cheaper than one whose body sits in memory.

use std::sync::{
    Arc,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

use prometheus::IntGauge;

/// The bounds, shared by all requests.
#[derive(Debug)]
pub(crate) struct Admission {
    requests_most: usize,
    bytes_most: u64,
    requests: AtomicUsize,
    bytes: AtomicU64,
    gauge: IntGauge,
}

/// A bound is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Busy {
    #[error("too many requests are at work")]
    Requests,
    #[error("too many bytes are at work")]
    Bytes,
}

/// One admitted request. Gives back what it holds when it goes.
#[derive(Debug)]
pub(crate) struct Permit {
    admission: Arc<Admission>,
    bytes: u64,
}

impl Admission {
    pub(crate) fn new(requests_most: usize, bytes_most: u64, gauge: IntGauge) -> Arc<Self> {
        Arc::new(Self {
            requests_most,
            bytes_most,
            requests: AtomicUsize::new(0),
            bytes: AtomicU64::new(0),
            gauge,
        })
    }

    /// Lets a request in, holding no bytes yet.
    pub(crate) fn admit(self: &Arc<Self>) -> Result<Permit, Busy> {
        let before = self.requests.fetch_add(1, Ordering::Relaxed);
        // Made first: when it is one too many, its drop takes the count back.
        let permit = Permit { admission: Arc::clone(self), bytes: 0 };
        if before < self.requests_most { Ok(permit) } else { Err(Busy::Requests) }
    }
}

impl Permit {
    /// Holds `bytes` more.
    pub(crate) fn charge(&mut self, bytes: u64) -> Result<(), Busy> {
        let admission = &self.admission;
        let before = admission.bytes.fetch_add(bytes, Ordering::Relaxed);
        if before.saturating_add(bytes) > admission.bytes_most {
            admission.bytes.fetch_sub(bytes, Ordering::Relaxed);
            return Err(Busy::Bytes);
        }
        self.bytes += bytes;
        admission.gauge.add(bytes.cast_signed());
        Ok(())
    }

    /// Bytes held.
    pub(crate) fn held(&self) -> u64 {
        self.bytes
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.admission.requests.fetch_sub(1, Ordering::Relaxed);
        self.admission.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
        self.admission.gauge.sub(self.bytes.cast_signed());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admission(requests: usize, bytes: u64) -> Arc<Admission> {
        Admission::new(requests, bytes, IntGauge::new("bytes", "Bytes.").unwrap())
    }

    #[test]
    fn one_request_too_many_is_refused_until_another_ends() {
        let admission = admission(1, 10);
        let first = admission.admit().unwrap();
        assert_eq!(admission.admit().map(drop), Err(Busy::Requests));
        drop(first);
        assert!(admission.admit().is_ok());
    }

    #[test]
    fn bytes_are_given_back_when_a_request_ends_and_a_refused_charge_holds_none() {
        let admission = admission(2, 10);
        let (mut first, mut second) = (admission.admit().unwrap(), admission.admit().unwrap());
        first.charge(7).unwrap();
        assert_eq!(second.charge(4), Err(Busy::Bytes));
        assert_eq!(second.charge(3), Ok(()));
        assert_eq!(admission.gauge.get(), 10);
        drop(first);
        assert_eq!(second.charge(7), Ok(()));
        drop(second);
        assert_eq!(admission.gauge.get(), 0);
    }
}
