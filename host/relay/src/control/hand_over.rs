//! The change that ends this process: another one takes its place (`handover` has the steps).
//!
//! It is a change like any other, so that none is carried out meanwhile, and it is whole or has not happened as well.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::{JoinSet, spawn_blocking};
use tracing::{error, info};

use super::change::Plane;
use crate::doors::Bound;
use crate::handover::failure::NotHandedOver;
use crate::handover::message::Message;
use crate::handover::program::Program;
use crate::handover::shares::Shares;
use crate::handover::successor::Successor;
use crate::keeper::Keeper;

/// How long the new process may take to accept once nobody does: it has everything by then.
const OPENING: Duration = Duration::from_secs(10);

impl Plane {
    /// Lets a new process take this one's place.
    pub(super) async fn hand_over(&mut self, program: &Program) -> Result<Successor, NotHandedOver> {
        let limit = self.publisher.current().config.timeouts.upgrade;
        let started = self.doors.front().identifiers.started();
        let sockets = self.sockets().map_err(NotHandedOver::Sockets)?;
        let mut successor = Successor::start(program, sockets, started, limit).await?;
        let mut ending = self.ending.clone();
        let prepared = tokio::select! {
            prepared = self.prepare(&mut successor) => prepared,
            () = ending.begun() => Err(NotHandedOver::Ending),
        };
        if let Err(error) = prepared {
            self.recover(successor).await;
            return Err(error);
        }
        let bound = self.halt().await;
        match self.give_up_place(&mut successor).await {
            Ok(()) => {
                info!(process = successor.process(), "the new process has taken over");
                Ok(successor)
            }
            Err(error) => {
                self.recover(successor).await;
                self.accept_again(bound);
                Err(error)
            }
        }
    }

    fn sockets(&self) -> std::io::Result<Vec<(String, std::os::fd::OwnedFd)>> {
        let mut sockets = self.doors.duplicates()?;
        if let Some(admin) = &self.admin {
            sockets.push(admin.duplicate()?);
        }
        Ok(sockets)
    }

    /// Until the new process is ready and this one has let go of what only one can hold. Mail flows here.
    async fn prepare(&self, successor: &mut Successor) -> Result<(), NotHandedOver> {
        successor.heard(&Message::Prepared, "prepared").await?;
        self.let_go().await;
        successor.tell(&Message::Released).await;
        successor.heard(&Message::Ready, "ready").await
    }

    /// Until the new process accepts. Nobody does meanwhile.
    async fn give_up_place(&self, successor: &mut Successor) -> Result<(), NotHandedOver> {
        let mut shares = Shares::keep(&self.publisher.current());
        let left = shares.told();
        successor.keep(shares);
        successor.within(OPENING);
        successor.tell(&Message::Yours { left }).await;
        successor.heard(&Message::Open, "accepting").await
    }

    /// Lets go of what only one process can hold: the store, once no refresh token can come any more. What is to be kept
    /// from here on is kept in memory (and the new process is told what of budgets is taken so), or told to whoever asked
    /// that it is not. The providers' idle sessions end now, since their goodbyes take a round trip that clients need not
    /// wait for later.
    async fn let_go(&self) {
        let snapshot = self.publisher.current();
        let goodbyes = snapshot.accounts().cloned().map(|account| async move {
            tokio::join!(account.pool().close_idle(), account.provide());
        });
        goodbyes.collect::<JoinSet<()>>().join_all().await;
        if let Some(store) = snapshot.store().cloned() {
            let (audit, policies) = (Arc::clone(&self.audit), Arc::clone(&self.policies));
            Keeper { store: Arc::clone(&store), audit, policies }.end().await;
            spawn_blocking(move || store.close()).await.expect("closing the store does not panic");
        }
    }

    /// Ends the new process, and takes hold of everything again once there is nobody else who might. Sessions with
    /// providers are opened when they are needed.
    async fn recover(&self, successor: Successor) {
        successor.end().await.take_back();
        if let Some(store) = self.publisher.current().store().cloned() {
            let reopened = spawn_blocking(move || store.reopen()).await.expect("opening the store does not panic");
            if let Err(error) = reopened {
                error!(%error, "the store cannot be opened again: nothing is kept before a restart");
                return;
            }
            self.write_stages_anew().await;
        }
    }

    /// What the new process has written down of policies' stages does not hold.
    async fn write_stages_anew(&self) {
        for tenant in self.publisher.current().tenants.values() {
            match self.policies.archive().list(&tenant.id).await {
                Ok(kept) => {
                    let steps = tenant.line.steps_from(&kept);
                    if !steps.stages.is_empty() {
                        self.policies.write_down(&[(tenant.id.clone(), steps)]).await;
                    }
                }
                Err(error) => error!(tenant = tenant.id, %error, "its policy's stages cannot be read"),
            }
        }
    }

    async fn halt(&mut self) -> Bound {
        if let Some(admin) = &self.admin {
            admin.halt();
        }
        self.doors.halt_all().await
    }

    fn accept_again(&mut self, bound: Bound) {
        let snapshot = self.publisher.current();
        self.doors.open(&snapshot.config.listeners, bound);
        if let Some(admin) = &self.admin {
            admin.open();
        }
    }
}
