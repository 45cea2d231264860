//! The content of a message while it comes in: kept, or only digested or counted, piece by piece.

use crate::digest::{BodyDigest, Digest};
use crate::ledger::Content;
use crate::options::Keep;

/// What is there of a content so far.
#[derive(Debug)]
pub(crate) enum Gathered {
    Whole(Vec<u8>),
    Digest(Box<(Digest, BodyDigest)>),
    Count(u64),
}

impl Gathered {
    pub(crate) fn nothing(keep: Keep) -> Self {
        match keep {
            Keep::Whole => Self::Whole(Vec::new()),
            Keep::Digest => Self::Digest(Box::default()),
            Keep::Count => Self::Count(0),
        }
    }

    /// Takes a piece and leaves `piece` empty.
    pub(crate) fn take(&mut self, piece: &mut Vec<u8>) {
        match self {
            Self::Whole(content) if content.is_empty() => std::mem::swap(content, piece),
            Self::Whole(content) => content.append(piece),
            Self::Digest(digests) => {
                digests.0.update(piece);
                digests.1.update(piece);
            }
            Self::Count(octets) => *octets += piece.len() as u64,
        }
        piece.clear();
    }

    pub(crate) fn octets(&self) -> u64 {
        match self {
            Self::Whole(content) => content.len() as u64,
            Self::Digest(digests) => digests.0.octets(),
            Self::Count(octets) => *octets,
        }
    }

    /// What the ledger keeps of it; nothing where it only counts.
    pub(crate) fn kept(self) -> Option<Content> {
        match self {
            Self::Whole(content) => Some(Content::Whole(content)),
            Self::Digest(digests) => Some(Content::Digest {
                octets: digests.0.octets(),
                digest: digests.0.finish(),
                body: digests.1.finish(),
            }),
            Self::Count(_) => None,
        }
    }
}
