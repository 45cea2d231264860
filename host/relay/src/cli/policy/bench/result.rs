//! What `posthouse policy bench` says: for people, and for programs.

use posthouse_policy::policy::Description;
use serde_json::json;

use super::figures::Figures;
use crate::cli::policy::numbers::grouped;
use crate::cli::terminal::{Style, say, styled};

/// Of one case.
pub(super) struct Measured<'m> {
    pub(super) description: &'m Description,
    pub(super) case: &'m str,
    /// What the policy answered.
    pub(super) answer: String,
    pub(super) figures: Figures,
    /// With a body of 1 KB, and with one of 25 MB.
    pub(super) sizes: Option<[Figures; 2]>,
}

impl Measured<'_> {
    pub(super) fn say_json(&self) {
        let Self { description, case, answer, figures, sizes } = self;
        let object = json!({
            "policy": description.name,
            "version": description.version,
            "case": case,
            "answer": answer,
            "calls": figures.count(),
            "p50_us": round(figures.percentile(50.0)),
            "p90_us": round(figures.percentile(90.0)),
            "p99_us": round(figures.percentile(99.0)),
            "max_us": round(figures.percentile(100.0)),
            "cpu_us": round(figures.cpu()),
            "per_second": figures.per_second().round(),
            "ratio_25mb": sizes.as_ref().map(|sizes| round(ratio(sizes))),
        });
        say(&object.to_string());
    }

    pub(super) fn show(&self) {
        let Self { description, case, answer, figures, sizes } = self;
        say(&styled(Style::Strong, &format!("{} {}", description.name, description.version)));
        say(&format!("  case       {case}"));
        say(&format!("  answer     {answer}"));
        say(&format!("  calls      {}, each on a fresh instance", grouped(figures.count() as u64)));
        for (name, percent) in [("p50", 50.0), ("p90", 90.0), ("p99", 99.0), ("max", 100.0)] {
            say(&format!("  {name:<10} {:>9.1} us", figures.percentile(percent)));
        }
        say(&format!("  processor  {:>9.1} us a call", figures.cpu()));
        say(&format!("  rate       {:>9.0} decisions/s on one thread", figures.per_second()));
        if let Some(sizes) = sizes {
            let [small, large] = sizes.each_ref().map(|figures| figures.percentile(50.0));
            let times = ratio(sizes);
            say(&format!("  body       {small:>9.1} us with 1 KB, {large:.1} us with 25 MB: {times:.2} times (p50)"));
        }
    }
}

fn ratio([small, large]: &[Figures; 2]) -> f64 {
    large.percentile(50.0) / small.percentile(50.0)
}

fn round(figure: f64) -> f64 {
    (figure * 100.0).round() / 100.0
}
