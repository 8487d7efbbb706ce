//! Debian's Prometheus and Alertmanager with the shipped rules and configuration, of which only
//! addresses are other ones.

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, ensure};
use serde_json::json;
use serde_yaml_ng::Value;

use crate::{Process, letterbox::Letterbox, process, wait::eventually};

/// How long a server may take to start.
const START: Duration = Duration::from_secs(30);
/// Jobs whose servers have no such endpoint when they are embedded.
const LEFT_OUT: [&str; 2] = ["clickhouse", "grafana"];

/// An Alertmanager that tells a letterbox. Dropping it kills it.
pub struct Alertmanager {
    /// Where it listens.
    pub address: SocketAddr,
    process: Process,
}

/// A Prometheus that tells an Alertmanager. Dropping it kills it.
pub struct Prometheus {
    /// Where it listens.
    pub address: SocketAddr,
    process: Process,
}

/// A port that was free a moment ago.
fn free() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// An installed program.
fn program(name: &str) -> anyhow::Result<PathBuf> {
    let path = Path::new("/usr/bin").join(name);
    ensure!(
        path.exists(),
        "{} is missing; engines/fetch/system.sh test installs it",
        path.display()
    );
    Ok(path)
}

async fn until_ready(address: SocketAddr, process: &Process) -> anyhow::Result<()> {
    let url = format!("http://{address}/-/ready");
    eventually(&format!("{url} is well"), START, || async {
        Ok(reqwest::get(&url).await?.status().is_success().then_some(()))
    })
    .await
    .with_context(|| process.tail())
}

impl Alertmanager {
    /// Starts it in `folder` with the configuration under `docker`. `told` are receivers for alerts on
    /// brands in place of the configured one, as its comment says to do it.
    pub async fn start(
        docker: &Path,
        folder: &Path,
        letterbox: &Letterbox,
        told: &[&str],
    ) -> anyhow::Result<Self> {
        let folder = folder.join("alertmanager");
        fs::create_dir_all(&folder)?;
        let slack = folder.join("slack_url");
        fs::write(&slack, format!("http://{}/slack", letterbox.web))?;
        let shipped = fs::read_to_string(docker.join("alertmanager/alertmanager.yml"))?;
        let templates = docker.join("alertmanager/templates").display().to_string();
        let placed = shipped
            .replace("http://alert-receiver:9095", &format!("http://{}", letterbox.web))
            .replace("templates: [templates/", &format!("templates: [{templates}/"))
            .replace("/etc/alertmanager/channels/slack_url", &slack.display().to_string())
            .replace(
                "mail.example.com:587",
                &format!("{}\n  smtp_require_tls: false", letterbox.mail),
            );
        let mut config: Value = serde_yaml_ng::from_str(&placed)?;
        if !told.is_empty() {
            let routes = config["route"]["routes"].as_sequence_mut().context("no routes")?;
            let brands = routes.remove(0);
            for receiver in told.iter().rev() {
                let mut route = brands.clone();
                route["receiver"] = (*receiver).into();
                route["continue"] = true.into();
                routes.insert(0, route);
            }
        }
        let path = folder.join("alertmanager.yml");
        fs::write(&path, serde_yaml_ng::to_string(&config)?)?;
        let address = free()?;
        let mut command = process::command(&program("prometheus-alertmanager")?);
        command
            .arg(format!("--config.file={}", path.display()))
            .arg(format!("--storage.path={}", folder.join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .arg("--cluster.listen-address=");
        let process = Process::start(command)?;
        until_ready(address, &process).await?;
        Ok(Self { address, process })
    }

    /// Tells it of a firing alert.
    pub async fn fire(
        &self,
        labels: &serde_json::Value,
        annotations: &serde_json::Value,
    ) -> anyhow::Result<()> {
        let url = format!("http://{}/api/v2/alerts", self.address);
        let alerts = json!([{"labels": labels, "annotations": annotations}]);
        let request = reqwest::Client::new().post(url).header("Content-Type", "application/json");
        let answer = request.body(alerts.to_string()).send().await?;
        ensure!(answer.status().is_success(), "{answer:?}");
        Ok(())
    }

    /// The end of its log.
    pub fn tail(&self) -> String {
        self.process.tail()
    }
}

impl Prometheus {
    /// Starts it in `folder` with configuration and rules under `docker`; `jobs` are asked at these
    /// addresses.
    pub async fn start(
        docker: &Path,
        folder: &Path,
        alertmanager: SocketAddr,
        jobs: &[(&str, SocketAddr)],
    ) -> anyhow::Result<Self> {
        let folder = folder.join("prometheus");
        fs::create_dir_all(&folder)?;
        let address = free()?;
        let shipped = fs::read_to_string(docker.join("prometheus/prometheus.yml"))?;
        let rules = docker.join("prometheus/rules").display().to_string();
        let placed = shipped
            .replace("- rules/", &format!("- {rules}/"))
            .replace("alertmanager:9093", &alertmanager.to_string())
            .replace("localhost:9090", &address.to_string());
        let mut config: Value = serde_yaml_ng::from_str(&placed)?;
        let scraped = config["scrape_configs"].as_sequence_mut().context("no jobs")?;
        scraped.retain(|job| !LEFT_OUT.iter().any(|name| job["job_name"] == *name));
        for job in scraped {
            let Some((_, target)) = jobs.iter().find(|(name, _)| job["job_name"] == *name) else {
                continue;
            };
            let job = job.as_mapping_mut().context("a job is no mapping")?;
            job.remove("dns_sd_configs");
            let targets = serde_yaml_ng::to_value(json!([{"targets": [target.to_string()]}]))?;
            job.insert("static_configs".into(), targets);
        }
        let path = folder.join("prometheus.yml");
        fs::write(&path, serde_yaml_ng::to_string(&config)?)?;
        let mut command = process::command(&program("prometheus")?);
        command
            .arg(format!("--config.file={}", path.display()))
            .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
            .arg(format!("--web.listen-address={address}"));
        let process = Process::start(command)?;
        until_ready(address, &process).await?;
        Ok(Self { address, process })
    }

    /// Whether an expression has a result now.
    pub async fn has(&self, expression: &str) -> anyhow::Result<bool> {
        let mut url = reqwest::Url::parse(&format!("http://{}/api/v1/query", self.address))?;
        url.query_pairs_mut().append_pair("query", expression);
        let answer: serde_json::Value =
            serde_json::from_str(&reqwest::get(url).await?.text().await?)?;
        Ok(answer["data"]["result"].as_array().is_some_and(|found| !found.is_empty()))
    }

    /// The end of its log.
    pub fn tail(&self) -> String {
        self.process.tail()
    }
}
