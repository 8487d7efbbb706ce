//! What came back.

use std::time::Duration;

use bytes::Bytes;
use echolot_schemas::Timestamp;
use reqwest::{
    StatusCode,
    header::{HeaderMap, HeaderName, RETRY_AFTER},
};
use url::Url;

use crate::{http::fault::shown, source::SourceFault};

/// An answer, whatever its status.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Where it came from, behind all redirects.
    pub url: Url,
    /// Where the address has moved for good, when every redirect on the way said so (301, 308).
    pub moved: Option<Url>,
    /// Its body, unpacked.
    pub body: Bytes,
}

impl Answer {
    /// A header as text.
    pub fn header(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The answer if its status is 2xx or 304, otherwise what that status means for a source.
    ///
    /// `token_hint` says where a token comes from, for 401 and 403.
    pub fn or_fault(self, now: Timestamp, token_hint: &str) -> Result<Self, SourceFault> {
        let (status, url) = (self.status, shown(&self.url));
        let detail = format!("{url} answered {status}");
        match status.as_u16() {
            200..300 | 304 => Ok(self),
            401 | 403 => Err(SourceFault::Unauthorised(format!("{detail}; {token_hint}"))),
            410 => Err(SourceFault::Closed(format!("{detail}: gone for good"))),
            429 => Err(SourceFault::RateLimited {
                detail,
                retry_after: retry_after(&self.headers, now),
            }),
            408 | 425 | 500.. => {
                let retry_after = retry_after(&self.headers, now);
                Err(SourceFault::Transient { detail, retry_after })
            }
            _ => Err(SourceFault::Fatal(detail)),
        }
    }
}

/// How long a host wants to be left alone: `Retry-After` in seconds or as a date (RFC 9110).
pub fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let at = jiff::fmt::rfc2822::parse(value).ok()?.timestamp().as_millisecond();
    u64::try_from(at - now.as_millis()).ok().map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(value: &str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, value.parse().unwrap());
        retry_after(&headers, "2026-06-01T12:00:00Z".parse().unwrap())
    }

    #[test]
    fn retry_after_is_read_as_seconds_and_as_a_date() {
        assert_eq!(wait("120"), Some(Duration::from_mins(2)));
        assert_eq!(wait("Mon, 01 Jun 2026 12:00:30 GMT"), Some(Duration::from_secs(30)));
        assert_eq!(wait("Mon, 01 Jun 2026 11:00:00 GMT"), None);
        assert_eq!(wait("soon"), None);
    }
}
