//! One call, from its place in the pool to its report.

use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use wasmtime::component::Resource;
use wasmtime::{PoolConcurrencyLimitError, Store, Trap};

use super::{Code, Policy, answer};
use crate::bindings::exports::posthouse::policy as exported;
use crate::call::{Attempt, Call, Cost, Inquiry, Mail, Report};
use crate::decided::{Decided, Instructions, Next, Verdict};
use crate::engine::Mode;
use crate::failure::Failure;
use crate::host::Mistake;
use crate::lane;
use crate::limits::{self, Limits};
use crate::log::{Lines, printable};
use crate::meter::{Meter, OutOfTime};
use crate::places::Place;

/// How much of a trap's message is kept.
const TRAP_TEXT: usize = 200;
/// Instructions that a metered call may use: enough for a second, so that the clock ends it first.
const FUEL: u64 = 20_000_000_000;

/// What is asked.
pub(super) enum Question {
    Describe,
    CheckSettings,
    Recipient(String),
    Message,
    Outcome,
}

/// What is answered.
pub(super) enum Answer {
    Description(exported::policy::Description),
    Settings(Result<(), String>),
    Verdict(Verdict),
    Decided(Box<Decided>),
    Next(Next),
}

impl Policy {
    /// Asks a fresh instance one question.
    pub(super) async fn ask(
        &self,
        inquiry: Inquiry,
        mail: Mail,
        attempt: Option<Attempt>,
        question: Question,
    ) -> (Report<Answer>, Mail) {
        let terms = &self.terms;
        let mut call = Call::new(Arc::clone(&terms.tenant), Arc::clone(&terms.settings), inquiry, terms.limits.memory);
        call.reads_body = self.description.needs_body;
        call.attempt = attempt;
        let began = Instant::now();
        let deadline = began + terms.limits.time;
        // Who gets no place has not been asked: that is overload, and not the policy's doing.
        let Ok(place) = timeout_at(deadline, self.engine.places.place(&terms.tenant.line)).await else {
            return (Report::of_none(Failure::Busy), mail);
        };
        let store = match self.store(call) {
            Ok(store) => store,
            Err(failure) => return (Report::of_none(failure), mail),
        };
        let meter = Meter::new(terms.limits, Arc::clone(&terms.tenant.share), Arc::clone(&self.engine.slow));
        let (code, limits, mode) = (Arc::clone(&self.code), terms.limits, self.engine.mode());
        let running = Running { code, store, meter, limits, mode, began, deadline, _place: place };
        let (report, mail) = self.run(running.answer(mail, question)).await;
        self.pace.note(report.cost.cpu);
        (report, mail)
    }

    /// Runs a call where it begins, and if it is slow on the slow lane.
    async fn run(&self, call: impl Future<Output = (Report<Answer>, Mail)> + Send + 'static) -> (Report<Answer>, Mail) {
        let mut call: lane::Call<(Report<Answer>, Mail)> = Box::pin(call);
        if !self.pace.is_slow()
            && let Poll::Ready(done) = poll_fn(|context| Poll::Ready(call.as_mut().poll(context))).await
        {
            return done;
        }
        // A call gives way for one reason: it has run for a tick.
        let done = self.engine.lane.run(call).await;
        done.unwrap_or_else(|| (Report::of_none(Failure::Busy), Mail::none()))
    }

    fn store(&self, call: Call) -> Result<Store<Call>, Failure> {
        let failed = |error: wasmtime::Error| Failure::Trap(format!("no store: {error:#}"));
        let mut store = Store::try_new(&self.engine.wasmtime, call).map_err(failed)?;
        store.limiter(|call| &mut call.memory);
        store.set_epoch_deadline(1);
        store.set_hostcall_fuel(limits::HOST_CALL_BYTES);
        store.set_max_component_handles(limits::HANDLES);
        if self.engine.mode() == Mode::Metered {
            store.set_fuel(FUEL).map_err(failed)?;
        }
        Ok(store)
    }
}

/// A call with all it needs, so that any thread can go on with it.
struct Running {
    code: Arc<Code>,
    store: Store<Call>,
    meter: Arc<Meter>,
    limits: Limits,
    mode: Mode,
    began: Instant,
    deadline: Instant,
    /// Until the store is gone.
    _place: Place,
}

impl Running {
    async fn answer(mut self, mail: Mail, question: Question) -> (Report<Answer>, Mail) {
        self.store.data_mut().mail = mail;
        let (meter, ticking) = (Arc::clone(&self.meter), Arc::clone(&self.meter));
        self.store.epoch_deadline_callback(move |_| ticking.tick());
        let conversation = self.code.converse(&mut self.store, question);
        let answered = timeout_at(self.deadline, meter.measure(conversation)).await;
        let limit = self.limits.time;
        let result = match answered {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(self.failure(&error)),
            Err(_) if meter.has_overdrawn() => Err(Failure::Overdrawn { limit }),
            // Whoever waited for its turns was kept from ending: by its tenant's other calls or by others'.
            Err(_) if meter.has_waited() => Err(Failure::Waited { limit }),
            Err(_) => Err(Failure::Time { limit }),
        };
        let instructions = (self.mode == Mode::Metered).then(|| FUEL - self.store.get_fuel().unwrap_or(FUEL));
        let call = self.store.into_data();
        let cost = Cost { cpu: meter.used(), time: self.began.elapsed(), memory: call.memory.used(), instructions };
        let result = result.and_then(|answer| answer.finish(call.instructions));
        (Report { result, cost, lines: call.lines }, call.mail)
    }

    /// What an error of a call means.
    fn failure(&self, error: &wasmtime::Error) -> Failure {
        let limits = &self.limits;
        if let Some(failure) = error.downcast_ref::<Failure>() {
            return failure.clone();
        }
        if let Some(mistake) = error.downcast_ref::<Mistake>() {
            return Failure::Instruction(mistake.0.clone());
        }
        if error.is::<OutOfTime>() {
            return Failure::Cpu { limit: limits.cpu };
        }
        if error.is::<PoolConcurrencyLimitError>() {
            return Failure::Busy;
        }
        match error.downcast_ref::<Trap>() {
            Some(Trap::StackOverflow) => Failure::Stack,
            Some(Trap::OutOfFuel) => Failure::Cpu { limit: limits.cpu },
            _ if self.store.data().memory.is_short => Failure::Memory { limit: limits.memory },
            Some(trap) => Failure::Trap(trap.to_string().trim_start_matches("wasm trap: ").to_owned()),
            None => Failure::Trap(printable(&format!("{:#}", error).chars().take(TRAP_TEXT).collect::<String>())),
        }
    }
}

impl Code {
    async fn converse(&self, store: &mut Store<Call>, question: Question) -> wasmtime::Result<Answer> {
        let instance = self.instances.instantiate_async(&mut *store).await?;
        let hooks = &self.hooks;
        let (envelope, message) = (Resource::new_own(0), Resource::new_own(0));
        Ok(match (question, &hooks.recipient, &hooks.message, &hooks.outcome) {
            (Question::Describe, ..) => {
                let guest = hooks.policy.load(&mut *store, &instance)?;
                Answer::Description(guest.call_describe(&mut *store).await?)
            }
            (Question::CheckSettings, ..) => {
                let guest = hooks.policy.load(&mut *store, &instance)?;
                Answer::Settings(guest.call_check_settings(&mut *store).await?)
            }
            (Question::Recipient(address), Some(hook), ..) => {
                let guest = hook.load(&mut *store, &instance)?;
                Answer::Verdict(answer::verdict(guest.call_decide(&mut *store, envelope, &address).await?)?)
            }
            (Question::Message, _, Some(hook), _) => {
                let guest = hook.load(&mut *store, &instance)?;
                let decided = guest.call_decide(&mut *store, envelope, message, Resource::new_own(0)).await?;
                let verdict = answer::verdict(decided)?;
                Answer::Decided(Box::new(Decided { verdict, instructions: Instructions::default() }))
            }
            (Question::Outcome, .., Some(hook)) => {
                let guest = hook.load(&mut *store, &instance)?;
                Answer::Next(answer::next(guest.call_decide(&mut *store, envelope, Resource::new_own(0)).await?))
            }
            _ => return Err(wasmtime::Error::new(Mistake("the policy does not export this hook".to_owned()))),
        })
    }
}

impl Answer {
    /// The instructions are a decision's only once the hook has returned.
    fn finish(self, instructions: Instructions) -> Result<Self, Failure> {
        Ok(match self {
            Self::Decided(mut decided) => {
                decided.instructions = instructions;
                Self::Decided(decided)
            }
            other => other,
        })
    }
}

impl<T> Report<T> {
    /// Of a call that did not take place.
    pub(super) fn of_none(failure: Failure) -> Self {
        let cost = Cost { cpu: Duration::ZERO, ..Cost::default() };
        Self { result: Err(failure), cost, lines: Lines::default() }
    }

    /// The same with another decision in it.
    pub(super) fn map<U>(self, decision: impl FnOnce(T) -> U) -> Report<U> {
        Report { result: self.result.map(decision), cost: self.cost, lines: self.lines }
    }
}
