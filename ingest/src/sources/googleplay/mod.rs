//! Google Play: reviews of one's own apps, by the Developer API.
//!
//! The API lists reviews that were written or changed within the last seven days, newest change
//! first, and nothing else: a longer silence is a gap. Reviews are looked at again within that time;
//! one that is not there any more was deleted.

mod account;
mod platform;
mod review;

use bytes::Bytes;
use echolot_pipeline::{
    settings::{Problems, Secret},
    stage::Rejection,
};
use serde::Deserialize;

use self::{account::Account, platform::GooglePlay};
use crate::{
    source::{Page, SourceFault},
    sources::{
        Parts, SampleContext, SourceContext, SourceOptions,
        polled::{
            Polled,
            options::{check_base, check_names, check_secret, read_secret},
        },
    },
    submission::malformed_json,
};

/// Where a token comes from.
const TOKEN: &str = "make a service account with a JSON key at \
    https://console.cloud.google.com/iam-admin/serviceaccounts, invite it in the Play Console under \
    Users and permissions (\"View app information\"), and set service_account = \"file:PATH\"";

/// Options of `kind = "googleplay"`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct GooglePlayOptions {
    /// The service account's key file.
    service_account: Secret,
    /// A ready token, where something else renews it; then no service account is needed.
    token: Secret,
    /// Package names of the apps.
    packages: Vec<String>,
    /// Where the API is.
    api: String,
}

impl Default for GooglePlayOptions {
    fn default() -> Self {
        Self {
            service_account: Secret::default(),
            token: Secret::default(),
            packages: Vec::new(),
            api: "https://androidpublisher.googleapis.com".to_owned(),
        }
    }
}

/// How often it is asked where the settings do not say; the API grants 200 requests an hour.
const INTERVAL: std::time::Duration = std::time::Duration::from_mins(10);

impl SourceOptions for GooglePlayOptions {
    fn validate(&self, path: &str, problems: &mut Problems) {
        let at = |name: &str| format!("{path}.{name}");
        if self.token.is_empty() {
            check_secret(&self.service_account, &at("service_account"), TOKEN, problems);
            if let Ok(json) = self.service_account.read()
                && !self.service_account.is_empty()
                && let Err(error) = Account::read(&json)
            {
                problems.check(false, &at("service_account"), error.to_string());
            }
        } else {
            check_secret(&self.token, &at("token"), TOKEN, problems);
        }
        problems.check(
            !self.packages.is_empty(),
            &at("packages"),
            "is empty; name some, such as [\"org.example.app\"]",
        );
        check_names(&self.packages, &at("packages"), "._", problems);
        check_base(&self.api, &at("api"), problems);
    }

    fn build(&self, context: SourceContext) -> Result<Parts, SourceFault> {
        let platform = if self.token.is_empty() {
            let account = Account::read(&read_secret(&self.service_account)?)
                .map_err(|error| SourceFault::Unauthorised(format!("{error}; {TOKEN}")))?;
            GooglePlay::new(self, &context, Ok(account))
        } else {
            GooglePlay::new(self, &context, Err(read_secret(&self.token)?))
        };
        Ok(Parts::pulled(Polled::new(context, platform, INTERVAL)))
    }

    fn judge_sample(&self, context: &SampleContext<'_>, sample: Bytes) -> Result<Page, Rejection> {
        let list: review::List =
            serde_json::from_slice(&sample).map_err(|error| malformed_json(&sample, &error))?;
        let mut page = Page::default();
        let package = self.packages.first().map_or("", String::as_str);
        for json in list.reviews {
            platform::add(&mut page, context.name, package, &json, None);
        }
        Ok(page)
    }
}
