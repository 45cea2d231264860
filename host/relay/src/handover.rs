//! A new process takes this one's place while mail flows: the listening sockets go over, no message is cut and no
//! connection refused.
//!
//! The old process starts its program file anew and holds one end of a pair of Unix sockets, the new one's standard
//! input. Over it go the listening sockets, and then one line of JSON for each step:
//!
//! | old process | new process |
//! |---|---|
//! | sockets, `hello` | reads and validates the configuration, loads policies, takes the sockets |
//! | | `prepared`: it could go on at once |
//! | lets go of what only one process can hold: `released` | takes hold of that |
//! | | `ready` |
//! | stops accepting, keeps a share of each mailbox's sessions, tells what it has learned of them: `yours` | begins to accept, within the rest |
//! | | `open` |
//! | names the new one to the service manager: `main` | speaks to the service manager from now on |
//! | drains; each share that becomes smaller, and what it learns: `shares` | may open so many more sessions |
//! | ends, which closes the channel | has all of each mailbox's sessions |
//!
//! What a policy's breaker knows does not go over: a rest lasts a minute at most, the new program may be what mends it, and
//! trying it anew costs nobody but its own tenant some twenty calls within its limits.
//!
//! The one invariant: until `open` has been heard nothing of the old process is given up for good. If the new one fails
//! before, or takes too long, it is ended and the old one takes up where it was. Who connects in between waits in the
//! sockets' queue, which belongs to neither.

pub mod failure;
mod lessons;
pub(crate) mod message;
pub mod predecessor;
pub mod program;
mod refused;
pub(crate) mod shares;
pub(crate) mod sockets;
pub mod successor;

/// Which process a new one succeeds, by its process id: only that process's child is meant, not what it starts itself.
pub(crate) const SUCCESSOR_OF: &str = "POSTHOUSE_SUCCESSOR_OF";
