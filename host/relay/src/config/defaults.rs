//! Every limit and time-out of the configuration, each with its default and its reason.
//!
//! Nothing else in the crate holds such a number; `configs/posthouse.toml` shows them to operators,
//! and a test keeps the two alike.

use std::time::Duration;

use posthouse_upstream::verdict::Clients;

use crate::config::listener::Auth;
use crate::config::log::{Level, LogFormat};
use crate::config::policy::{OnFailure, SignedFields};

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

/// Where the tenants' files are, beside the main file.
pub const TENANTS: &str = "tenants";

// [limits]

/// A place costs about 10 KiB while idle under TLS: 10,000 are some 100 MB at worst, and within the
/// usual limit of open files once systemd's unit raises it.
pub const CONNECTIONS: usize = 10_000;
/// A PowerMTA opens hundreds of connections; a tenth of the places keeps one address from taking them all.
pub const CONNECTIONS_PER_ADDRESS: usize = 1_000;
/// One tenant's part of the connections and of the content memory, where there is another: a flood leaves half of each.
pub const TENANTS_PART: usize = 2;
/// What content may take over all sessions: a thousand messages of the size at which they begin to
/// flow through. Beyond it clients wait, then hear 451.
pub const CONTENT_MEMORY: u64 = 256 * MIB;
/// Gmail takes 35,882,577 octets (34.2 MiB) and Outlook 150 MiB; what is over the provider's own
/// size is refused by the provider in its own words.
pub const MESSAGE_SIZE: u64 = 35 * MIB;
/// RFC 5321 4.5.3.1.8: at least 100. Gmail takes no more than 100 in a message.
pub const RECIPIENTS: usize = 100;
/// Most mail is under 100 KiB: it is read whole, which allows one round trip and a retry. Larger
/// content flows through, so that its size costs no memory.
pub const STREAM_THRESHOLD: u64 = 256 * KIB;
/// RFC 5321 4.5.3.1.6 asks for room for a header and text: under this a threshold makes no sense.
pub const STREAM_THRESHOLD_LEAST: u64 = 64 * KIB;
/// Above this a message that is read whole costs too much of the content memory.
pub const STREAM_THRESHOLD_MOST: u64 = 16 * MIB;
/// The content memory holds at least this many messages of the threshold's size: one may take two
/// places while its buffer grows, and must not have to wait for all the others.
pub const MESSAGES_IN_MEMORY_LEAST: u64 = 4;
/// RFC 5321 4.5.3.1.7 asks for room for 64 KiB of content.
pub const MESSAGE_SIZE_LEAST: u64 = 64 * KIB;
/// Ten times Outlook's largest; a larger figure is a slip of the keyboard.
pub const MESSAGE_SIZE_MOST: u64 = 2048 * MIB;
/// A client that errs twenty times is broken or probing.
pub const ERRORS_PER_SESSION: u32 = 20;
/// NOOP and RSET keep a session open; a hundred without a message is nobody who brings mail.
pub const COMMANDS_WITHOUT_MESSAGE: u32 = 100;
/// Typing mistakes happen to devices' owners; the session ends at the third.
pub const LOGIN_FAILURES: u32 = 3;

// [timeouts], towards clients

/// RFC 5321 4.5.3.2.7: the server waits at least 5 minutes for the next command.
pub const COMMAND: Duration = Duration::from_mins(5);
/// RFC 5321 4.5.3.2.5: 3 minutes for each block of content.
pub const CONTENT: Duration = Duration::from_mins(3);
/// RFC 5321 has no figure; 35 MiB in half an hour are 20 KB/s, slower than any link worth waiting for.
pub const MESSAGE: Duration = Duration::from_mins(30);
/// For a TLS handshake and a proxy's header: a few round trips on the slowest line.
pub const HANDSHAKE: Duration = Duration::from_secs(10);

// [timeouts], towards providers

/// From the first packet to the reply to AUTH. RFC 5321 4.5.3.2.1 would wait 5 minutes for a greeting
/// alone; a client waits meanwhile, and Gmail and Outlook greet within a second.
pub const CONNECT: Duration = Duration::from_secs(30);
/// How long a message waits for one of its account's sessions: past this, 451 serves the client better.
pub const SESSION_WAIT: Duration = Duration::from_secs(30);
/// A whole delivery, under the 10 minutes that RFC 5321 4.5.3.2.6 has a client wait for its last reply.
pub const DELIVERY: Duration = Duration::from_secs(120);
/// Above this a client of RFC 5321 4.5.3.2.6 may have given up, and would send the message again.
pub const DELIVERY_MOST: Duration = Duration::from_mins(9);
/// What is in flight gets this long after SIGTERM; systemd kills after 90 s.
pub const SHUTDOWN_GRACE: Duration = Duration::from_secs(30);
/// A new process that takes over loads all policies: a Python one that is in no cache takes 20 s.
pub const UPGRADE: Duration = Duration::from_secs(60);

// [[listeners]]

/// Whoever is not known by its network says who it is.
pub const AUTH: Auth = Auth::Required;
/// A 4yz keeps the message in the client's queue; only devices have none.
pub const CLIENTS: Clients = Clients::Queueing;
/// A round trip to the provider for each batch of recipients, which only clients need that do not retry.
pub const VERIFY_RECIPIENTS: bool = false;
/// RFC 3030; a listener can hide it from clients that get it wrong.
pub const CHUNKING: bool = true;

// [policy]

/// What a policy could not decide on stays with the client: nothing is lost, nothing goes astray.
pub const POLICY_ON_FAILURE: OnFailure = OnFailure::Defer;
/// A tenant that edits what it signed has its reasons; the log tells of it.
pub const POLICY_SIGNED_FIELDS: SignedFields = SignedFields::Warn;
/// Bodies that policies read are mostly texts; this holds all of them.
pub const POLICY_BODY: u64 = 4 * MIB;

// [log]

/// Logs are read by machines first.
pub const LOG_FORMAT: LogFormat = LogFormat::Json;
/// A line for each session and each message: enough to answer where a message is.
pub const LOG_LEVEL: Level = Level::Info;

// Bounds of what may be written where no other reason speaks.

/// The largest number of connections: more than any kernel gives out files.
pub const COUNT_MOST: usize = 10_000_000;
/// The shortest time-out: shorter ones end sessions that are merely scheduled late.
pub const TIMEOUT_LEAST: Duration = Duration::from_millis(100);
/// The longest: a day is as good as never.
pub const TIMEOUT_MOST: Duration = Duration::from_hours(24);

// Providers (reference facts: Gmail and Outlook as of 2026)

/// Gmail's concurrency is undocumented; about 16 were seen to work.
pub const GMAIL_SESSIONS: usize = 10;
/// Gmail: 100 recipients in a message over SMTP.
pub const GMAIL_RECIPIENTS: usize = 100;
/// Exchange Online: 3 concurrent submissions for each mailbox, over all its clients.
pub const OUTLOOK_SESSIONS: usize = 3;
/// Exchange Online: 30 messages a minute for each mailbox; what is beyond is slowed down.
pub const OUTLOOK_MESSAGES_PER_MINUTE: u32 = 30;
/// Exchange Online: 10,000 recipients in 24 hours for each mailbox.
pub const OUTLOOK_RECIPIENTS_PER_DAY: u64 = 10_000;
/// Google Workspace: 10,000 recipients in 24 hours for each user, over web, API and SMTP.
pub const GMAIL_RECIPIENTS_PER_DAY: u64 = 10_000;
/// Google Workspace: 2,000 messages in 24 hours for each user (500 for trials and for gmail.com).
pub const GMAIL_MESSAGES_PER_DAY: u64 = 2_000;
/// Exchange Online: 500 recipients in a message unless an administrator changed it.
pub const OUTLOOK_RECIPIENTS: usize = 500;
/// Microsoft: a refresh token ends 90 days after it was issued, and each use brings a new one.
pub const OUTLOOK_REFRESH_TOKEN_IDLE: Duration = Duration::from_hours(90 * 24);
/// Google: a refresh token ends when it was not used for six months.
pub const GMAIL_REFRESH_TOKEN_IDLE: Duration = Duration::from_hours(180 * 24);
/// No provider's refresh token lives for less: Google's, for an application in testing, 7 days.
pub const CONSENT_LEAST: Duration = Duration::from_hours(1);
/// Ten years are as good as for ever.
pub const CONSENT_MOST: Duration = Duration::from_hours(3_650 * 24);
/// Outlook moves mailboxes between servers; a session that is young notices soon.
pub const OUTLOOK_SESSION_AGE: Duration = Duration::from_mins(15);
/// Graph: 4 requests at a time for each mailbox and application.
pub const GRAPH_SESSIONS: usize = 4;
/// Gmail API: a message costs 100 of the 15,000 units that a user has in a minute.
pub const GMAIL_API_MESSAGES_PER_MINUTE: u32 = 150;
/// Google Workspace: 500 external recipients in a message; the 100 are SMTP's.
pub const GMAIL_API_RECIPIENTS: usize = 500;
/// Nobody documents how long their servers keep a silent connection; ours ends before most do.
pub const HTTP_IDLE: Duration = Duration::from_mins(1);
/// RFC 9110 4.2.2.
pub const HTTPS_PORT: u16 = 443;
/// Nobody documents a figure; 100 is what widespread clients do before they begin anew.
pub const MESSAGES_PER_SESSION: u32 = 100;
/// Half of the hour that an access token lives.
pub const SESSION_AGE: Duration = Duration::from_mins(30);
/// Outlook drops idle sessions at about 5 minutes: ours end before.
pub const IDLE: Duration = Duration::from_mins(4);
/// A session ends this long before its access token: a message in flight is over by then.
pub const TOKEN_MARGIN: Duration = Duration::from_mins(1);
/// Sessions to a server that nothing is known of.
pub const GENERIC_SESSIONS: usize = 5;
/// RFC 5321 4.5.3.1.8: every server takes 100.
pub const GENERIC_RECIPIENTS: usize = 100;
/// More sessions than this to one mailbox is a slip of the keyboard.
pub const SESSIONS_MOST: usize = 1_000;
/// More recipients than this in a message no server takes.
pub const RECIPIENTS_MOST: usize = 50_000;
/// RFC 6409 3.1: message submission.
pub const SUBMISSION_PORT: u16 = 587;
/// RFC 8314 7.3: message submission over implicit TLS, which saves the round trips of STARTTLS.
pub const SUBMISSIONS_PORT: u16 = 465;

// Passwords (RFC 9106; OWASP's password storage cheat sheet)

/// OWASP's first choice for Argon2id: 19 MiB,
pub const HASH_MEMORY_KIB: u32 = 19 * 1024;
/// 2 passes
pub const HASH_PASSES: u32 = 2;
/// and 1 lane.
pub const HASH_LANES: u32 = 1;
/// OWASP's least memory: 7 MiB (with 5 passes).
pub const HASH_MEMORY_KIB_LEAST: u32 = 7 * 1024;
/// A login that took more memory than this would be a denial of service on ourselves.
pub const HASH_MEMORY_KIB_MOST: u32 = 256 * 1024;
/// Likewise for time.
pub const HASH_PASSES_MOST: u32 = 20;
/// Likewise: lanes are computed one after the other here.
pub const HASH_LANES_MOST: u32 = 16;
/// RFC 9106 3.1: salt of 8 octets at least; a shorter hash is guessed instead of the password.
pub const HASH_OCTETS_LEAST: usize = 8;
