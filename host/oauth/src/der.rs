//! As much DER (X.690) as it takes to read a certificate's dates and key: elements, one after the other.

/// SEQUENCE.
pub(crate) const SEQUENCE: u8 = 0x30;
/// BIT STRING.
pub(crate) const BIT_STRING: u8 = 0x03;
/// UTCTime: two digits for the year.
pub(crate) const UTC_TIME: u8 = 0x17;
/// GeneralizedTime: four of them.
pub(crate) const GENERALIZED_TIME: u8 = 0x18;

/// Octets that elements are taken from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    /// The next element's tag and contents; none where the octets are no DER, or over.
    pub(crate) fn any(&mut self) -> Option<(u8, &'a [u8])> {
        let (tag, rest) = self.0.split_first()?;
        let (first, mut rest) = rest.split_first()?;
        let mut length = usize::from(*first);
        if length > 0x80 {
            let (octets, behind) = rest.split_at_checked(length - 0x80).filter(|(octets, _)| octets.len() <= 4)?;
            length = octets.iter().fold(0, |length, octet| length << 8 | usize::from(*octet));
            rest = behind;
        } else if length == 0x80 {
            return None;
        }
        let (contents, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((*tag, contents))
    }

    /// The contents of the next element, which has this tag.
    pub(crate) fn expect(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.any().filter(|(found, _)| *found == tag).map(|(_, contents)| contents)
    }
}
