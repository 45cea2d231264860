//! A handle that keeps its owner's exporter alive.

use std::sync::Arc;

use metrics::{Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn};
use metrics_exporter_prometheus::PrometheusRecorder;

/// A handle, and where it counts.
pub(super) struct Held<T> {
    pub(super) handle: T,
    pub(super) _of: Arc<PrometheusRecorder>,
}

impl CounterFn for Held<Counter> {
    fn increment(&self, value: u64) {
        self.handle.increment(value);
    }

    fn absolute(&self, value: u64) {
        self.handle.absolute(value);
    }
}

impl GaugeFn for Held<Gauge> {
    fn increment(&self, value: f64) {
        self.handle.increment(value);
    }

    fn decrement(&self, value: f64) {
        self.handle.decrement(value);
    }

    fn set(&self, value: f64) {
        self.handle.set(value);
    }
}

impl HistogramFn for Held<Histogram> {
    fn record(&self, value: f64) {
        self.handle.record(value);
    }
}
