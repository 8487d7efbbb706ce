//! The one way onto a registry, so that `docs/metrics.md` can list what there is.
//!
//! A registry tells only of metrics that have samples, and no label names apart from them; a
//! collector tells both about itself. So whoever wants the list builds the metrics inside of
//! [`catalogue`], which writes down each collector that passes through [`registered`].

use std::cell::RefCell;

use prometheus::{
    Registry,
    core::{Collector, Desc},
    proto::MetricType,
};

thread_local! {
    /// Open catalogues of this thread, the innermost last.
    static OPEN: RefCell<Vec<Vec<MetricDoc>>> = const { RefCell::new(Vec::new()) };
}

/// What a person must know to use a metric.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MetricDoc {
    /// Its name, such as `echolot_deliveries_total`.
    pub name: String,
    /// `counter`, `gauge` or `histogram`.
    pub kind: &'static str,
    /// Names of its labels, in the order of its declaration.
    pub labels: Vec<String>,
    /// Its help text.
    pub help: String,
}

/// Registers a collector and hands it back.
///
/// # Errors
/// When the collector could not be made, or its name is taken.
#[expect(clippy::disallowed_methods, reason = "this is the one way in")]
pub fn registered<C: Collector + Clone + 'static>(
    registry: &Registry,
    collector: prometheus::Result<C>,
) -> prometheus::Result<C> {
    let collector = collector?;
    registry.register(Box::new(collector.clone()))?;
    note(&collector);
    Ok(collector)
}

/// Everything that `build` registers on this thread, sorted by name.
///
/// # Errors
/// What `build` fails with.
pub fn catalogue(
    build: impl FnOnce(&Registry) -> prometheus::Result<()>,
) -> prometheus::Result<Vec<MetricDoc>> {
    let _page = Page::open();
    build(&Registry::new())?;
    let metrics = OPEN.with_borrow_mut(|open| open.last_mut().map(std::mem::take));
    let mut metrics = metrics.unwrap_or_default();
    metrics.sort();
    Ok(metrics)
}

/// An open catalogue. Taken off the thread also when building it fails or panics.
struct Page;

impl Page {
    fn open() -> Self {
        OPEN.with_borrow_mut(|open| open.push(Vec::new()));
        Self
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        OPEN.with_borrow_mut(Vec::pop);
    }
}

fn note(collector: &impl Collector) {
    OPEN.with_borrow_mut(|open| {
        if let Some(metrics) = open.last_mut() {
            let families = collector.collect();
            let kinds = families.iter().map(|family| kind(family.get_field_type()));
            metrics.extend(
                collector.desc().into_iter().zip(kinds).map(|(desc, kind)| doc(desc, kind)),
            );
        }
    });
}

fn doc(desc: &Desc, kind: &'static str) -> MetricDoc {
    MetricDoc {
        name: desc.fq_name.clone(),
        kind,
        labels: desc.variable_labels.clone(),
        help: desc.help.clone(),
    }
}

const fn kind(metric_type: MetricType) -> &'static str {
    match metric_type {
        MetricType::COUNTER => "counter",
        MetricType::GAUGE => "gauge",
        MetricType::HISTOGRAM => "histogram",
        MetricType::SUMMARY => "summary",
        MetricType::UNTYPED => "untyped",
    }
}

#[cfg(test)]
mod tests {
    use prometheus::{HistogramOpts, HistogramVec, IntCounter, IntGaugeVec, Opts};

    use super::*;

    fn gauge(registry: &Registry, name: &str) -> prometheus::Result<()> {
        registered(registry, IntGaugeVec::new(Opts::new(name, "Help."), &["b", "a"])).map(|_| ())
    }

    #[test]
    fn a_metric_without_samples_is_listed_with_its_labels() {
        let metrics = catalogue(|registry| {
            let options = HistogramOpts::new("seconds", "Help.");
            registered(registry, HistogramVec::new(options, &["step"]))?;
            registered(registry, IntCounter::new("rows_total", "Help."))?;
            gauge(registry, "held")
        });
        let told: Vec<String> = metrics
            .unwrap()
            .iter()
            .map(|metric| format!("{} {} {:?}", metric.name, metric.kind, metric.labels))
            .collect();
        assert_eq!(
            told,
            [r#"held gauge ["b", "a"]"#, "rows_total counter []", r#"seconds histogram ["step"]"#]
        );
    }

    #[test]
    fn a_failed_catalogue_leaves_nothing_behind_for_the_next_one() {
        let twice = catalogue(|registry| {
            gauge(registry, "held")?;
            gauge(registry, "held")
        });
        assert!(twice.is_err());
        assert_eq!(catalogue(|registry| gauge(registry, "other")).unwrap().len(), 1);
    }

    #[test]
    fn what_is_registered_outside_of_a_catalogue_is_not_kept() {
        gauge(&Registry::new(), "held").unwrap();
        assert_eq!(catalogue(|_| Ok(())).unwrap(), []);
    }
}
