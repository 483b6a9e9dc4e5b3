//! What is counted, in the words of Prometheus.

use std::sync::atomic::AtomicI64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

/// Every metric of this process: of the token service and of the bank.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    /// Validations by result.
    pub validations: Family<ResultLabel, Counter>,
    /// Tokens that became known.
    pub provisioned: Counter,
    /// HTTP answers by route and status.
    pub requests: Family<RequestLabel, Counter>,
    /// Seconds from a validation's arrival to its answer.
    pub validation_seconds: Histogram,
    /// Commands that one commit made durable.
    pub commit_size: Histogram,
    queue: Gauge<i64, AtomicI64>,
    /// The bank's HTTP answers by listener, route and status.
    pub bank_requests: Family<BankRequestLabel, Counter>,
    /// Seconds from a request's arrival at the bank to its answer.
    pub bank_seconds: Histogram,
    bank_queue: Gauge<i64, AtomicI64>,
    /// The bank's mails that wait, by whether they were tried in vain.
    pub mails: Family<MailLabel, Gauge<i64, AtomicI64>>,
    /// How often the clock was moved while the process ran.
    pub clock_steps: Counter,
    /// Connections that were closed at once, since their client had as many as one may have, by listener.
    pub connections_refused: Family<ListenerLabel, Counter>,
    /// Seconds since 1970 of the newest audit checkpoint.
    pub checkpoint_time: Gauge<i64, AtomicI64>,
}

/// `result`
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ResultLabel {
    /// As on the wire, or `refused`, or `failed`.
    pub result: &'static str,
}

/// `route` and `status`
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RequestLabel {
    /// The route's pattern, never a path as it was sent.
    pub route: String,
    /// The HTTP status.
    pub status: u16,
}

/// `listener`
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ListenerLabel {
    /// `tokens`, `customers`, `staff`, `metrics` or `lan`.
    pub listener: &'static str,
}

/// `listener`, `route` and `status`
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct BankRequestLabel {
    /// `customers` or `staff`.
    pub listener: &'static str,
    /// The route's pattern, never a path as it was sent.
    pub route: String,
    /// The HTTP status.
    pub status: u16,
}

/// `tried`
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct MailLabel {
    /// `no`: due at once; `in_vain`: it failed, and is tried again.
    pub tried: &'static str,
}

fn connections_refused(registry: &mut Registry) -> Family<ListenerLabel, Counter> {
    let refused = Family::default();
    registry.register(
        "connections_refused",
        "Connections beyond what one client address may have, by listener",
        refused.clone(),
    );
    refused
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("warifu");
        let validations = Family::default();
        registry.register("validations", "Validations by result", validations.clone());
        let provisioned = Counter::default();
        registry.register(
            "provisioned",
            "Tokens that became known",
            provisioned.clone(),
        );
        let requests = Family::default();
        registry.register(
            "http_requests",
            "HTTP answers by route and status",
            requests.clone(),
        );
        // 250 µs to 8 s.
        let validation_seconds = Histogram::new(exponential_buckets(0.000_25, 2.0, 16));
        registry.register(
            "validation_seconds",
            "Seconds from a validation's arrival to its answer",
            validation_seconds.clone(),
        );
        let commit_size = Histogram::new(exponential_buckets(1.0, 2.0, 11));
        registry.register(
            "commit_size",
            "Commands that one commit made durable",
            commit_size.clone(),
        );
        let queue = Gauge::default();
        registry.register(
            "queue_depth",
            "Commands that wait for the database",
            queue.clone(),
        );
        let checkpoint_time = Gauge::default();
        registry.register(
            "audit_checkpoint_timestamp_seconds",
            "When the newest audit checkpoint was written",
            checkpoint_time.clone(),
        );
        let (bank_requests, bank_seconds, bank_queue) = of_the_bank(&mut registry);
        let connections_refused = connections_refused(&mut registry);
        let (mails, clock_steps) = of_faults_below(&mut registry);
        Self {
            registry,
            mails,
            clock_steps,
            connections_refused,
            bank_requests,
            bank_seconds,
            bank_queue,
            validations,
            provisioned,
            requests,
            validation_seconds,
            commit_size,
            queue,
            checkpoint_time,
        }
    }
}

/// What is counted of the bank's pages and database.
fn of_the_bank(
    registry: &mut Registry,
) -> (
    Family<BankRequestLabel, Counter>,
    Histogram,
    Gauge<i64, AtomicI64>,
) {
    let bank_requests = Family::default();
    registry.register(
        "bank_http_requests",
        "HTTP answers of the bank by listener, route and status",
        bank_requests.clone(),
    );
    let bank_seconds = Histogram::new(exponential_buckets(0.001, 2.0, 14));
    registry.register(
        "bank_request_seconds",
        "Seconds from a request's arrival at the bank to its answer",
        bank_seconds.clone(),
    );
    let bank_queue = Gauge::default();
    registry.register(
        "bank_queue_depth",
        "Commands that wait for the bank's database",
        bank_queue.clone(),
    );
    (bank_requests, bank_seconds, bank_queue)
}

/// What tells of a mail server that is gone, and of a clock that is moved.
fn of_faults_below(registry: &mut Registry) -> (Family<MailLabel, Gauge<i64, AtomicI64>>, Counter) {
    let mails = Family::default();
    registry.register(
        "bank_mails_waiting",
        "Mails that wait to be sent",
        mails.clone(),
    );
    let clock_steps = Counter::default();
    registry.register(
        "clock_steps",
        "How often the machine's clock was moved by more than two seconds",
        clock_steps.clone(),
    );
    (mails, clock_steps)
}

impl Metrics {
    /// The text that Prometheus reads (OpenMetrics 1.0), with so many commands waiting for the token
    /// service's database and for the bank's.
    ///
    /// # Errors
    /// When a metric cannot be written, which its type rules out.
    pub fn render(&self, waiting: usize, bank_waiting: usize) -> Result<String, std::fmt::Error> {
        self.queue.set(i64::try_from(waiting).unwrap_or(i64::MAX));
        self.bank_queue
            .set(i64::try_from(bank_waiting).unwrap_or(i64::MAX));
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}
