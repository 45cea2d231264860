//! From a policy's file to machine code: out of the cache, or by a worker process.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::cache::{Cache, Digest};
use crate::engine::Mode;
use crate::failure::LoadError;
use crate::limits;

/// How much of a worker's complaint is read.
const COMPLAINT: u64 = 2048;

/// Compiles, or remembers.
#[derive(Debug)]
pub struct Compiler {
    program: PathBuf,
    cache: Option<Arc<Cache>>,
    places: Semaphore,
}

/// Where code came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The cache.
    Cache,
    /// A worker, now.
    Worker,
}

impl Compiler {
    /// A compiler that runs `program` as `posthouse compile-worker` is run.
    pub fn new(program: PathBuf, cache: Option<Cache>) -> Self {
        Self { program, cache: cache.map(Arc::new), places: Semaphore::new(limits::COMPILERS) }
    }

    /// The cached code of a file; none where there is none, or where it was tampered with.
    pub(crate) async fn cached(&self, mode: Mode, digest: Digest) -> Option<Vec<u8>> {
        let cache = Arc::clone(self.cache.as_ref()?);
        tokio::task::spawn_blocking(move || cache.load(digest, mode)).await.ok().flatten()
    }

    /// Compiles a file, and keeps the code where there is a cache; the second is why it was not kept.
    ///
    /// # Errors
    /// The file cannot be a policy, or the worker cannot be run.
    pub(crate) async fn compile(
        &self,
        mode: Mode,
        digest: Digest,
        file: &[u8],
    ) -> Result<(Vec<u8>, Option<LoadError>), LoadError> {
        if file.len() > limits::COMPONENT {
            // Said by the same words that the worker would use, without copying it there.
            crate::admission::admit(file)?;
        }
        let place = self.places.acquire().await.expect("this semaphore is never closed");
        let code = self.work(mode, file).await?;
        drop(place);
        if let Some(cache) = self.cache.clone() {
            // A full disk is no reason to have no policy; the next start compiles again.
            let store = move || {
                let trouble = cache.store(digest, mode, &code).err();
                (code, trouble)
            };
            let stored = tokio::task::spawn_blocking(store).await;
            return stored.map_err(|_| self.broken("the cache's thread is gone"));
        }
        Ok((code, None))
    }

    async fn work(&self, mode: Mode, file: &[u8]) -> Result<Vec<u8>, LoadError> {
        let mut worker = Command::new(&self.program)
            .args(["compile-worker", mode.name()])
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| self.broken(&error.to_string()))?;
        match timeout(limits::COMPILE_TIME, self.converse(&mut worker, file)).await {
            Ok(answer) => answer,
            Err(_) => Err(LoadError::Uncompilable(format!("it took more than {:?}", limits::COMPILE_TIME))),
        }
    }

    async fn converse(&self, worker: &mut Child, file: &[u8]) -> Result<Vec<u8>, LoadError> {
        let (Some(mut input), Some(output), Some(complaints)) =
            (worker.stdin.take(), worker.stdout.take(), worker.stderr.take())
        else {
            return Err(self.broken("it has no standard streams"));
        };
        let (mut code, mut complaint) = (Vec::new(), String::new());
        let write = async {
            // A worker that has seen enough closes its end; what it says is read below.
            let _ = input.write_all(file).await;
            drop(input);
        };
        let read_code = async { output.take(limits::COMPILED as u64 + 1).read_to_end(&mut code).await };
        let read_complaint = async { complaints.take(COMPLAINT).read_to_string(&mut complaint).await };
        let (code_read, _, ()) = tokio::join!(read_code, read_complaint, write);
        code_read.map_err(|error| self.broken(&error.to_string()))?;
        if code.len() > limits::COMPILED {
            return Err(LoadError::Uncompilable("its machine code is too large".to_owned()));
        }
        let status = worker.wait().await.map_err(|error| self.broken(&error.to_string()))?;
        let complaint = complaint.trim().to_owned();
        match status.code() {
            Some(0) => Ok(code),
            Some(1) => Err(LoadError::Unfit(complaint)),
            Some(2) => Err(self.broken(&complaint)),
            // A panic in it, of which the relay only hears.
            Some(_) => Err(LoadError::Uncompilable("it is more than the compiler can understand".to_owned())),
            None => Err(LoadError::Uncompilable(format!("the compiler ran out of memory or time ({status})"))),
        }
    }

    fn broken(&self, reason: &str) -> LoadError {
        LoadError::Worker { program: self.program.display().to_string(), reason: reason.to_owned() }
    }
}
