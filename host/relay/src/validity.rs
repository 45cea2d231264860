//! How long a certificate that clients see is good, and from when on its end is a person's business.

use std::time::SystemTime;

use crate::account::life::{NOTICE, days};
use crate::config::listener::Certificate;

/// In seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// Its first moment.
    pub begins: u64,
    /// Its last one.
    pub ends: u64,
}

impl Validity {
    /// Of this certificate; none where it does not say.
    pub(crate) fn of(certificate: &Certificate) -> Option<Self> {
        let validity = posthouse_oauth::certificate::validity(&certificate.chain).ok()?;
        Some(Self { begins: unix(validity.begins), ends: unix(validity.ends) })
    }

    /// From when on somebody is told: as for accounts, but for a certificate that does not live for long. Those are renewed
    /// by machines, in the last third of their life, and a person is wanted only where that was not done.
    pub(crate) fn notice(self) -> u64 {
        let quarter = self.ends.saturating_sub(self.begins) / 4;
        self.ends.saturating_sub(NOTICE.as_secs().min(quarter))
    }

    /// What is left of it, in words.
    pub(crate) fn left(self, now: u64) -> String {
        match self.ends.checked_sub(now) {
            Some(left) => format!("ends in {}", days(left)),
            None => "has ended".to_owned(),
        }
    }
}

fn unix(moment: SystemTime) -> u64 {
    moment.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use super::Validity;

    #[test]
    fn an_end_is_told_thirty_days_before_or_in_the_last_quarter_of_a_short_life() {
        for (life, notice) in [(365, 30), (120, 30), (100, 25), (40, 10), (8, 2)] {
            let validity = Validity { begins: 86_400, ends: 86_400 * (life + 1) };
            assert_eq!(validity.ends - validity.notice(), notice * 86_400, "{life} days");
        }
    }
}
