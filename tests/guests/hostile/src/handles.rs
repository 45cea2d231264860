//! Harms by handles: those that were never given, that are another's, and that are not given back.

use posthouse_policy::bindings::posthouse::policy::{decision::Decision, envelope::Envelope, message::Message};

/// Harms with the envelope's handle.
pub(crate) fn of_envelope(harm: &str, envelope: &Envelope) {
    match harm {
        // SAFETY: none in this file: the relay must refuse these handles, which is what is tested.
        "handle-forged" => drop(unsafe { Envelope::from_handle(0x00AB_CDEF) }.sender()),
        "handle-zero" => drop(unsafe { Envelope::from_handle(0) }.sender()),
        "handle-guessed" => (1..1000).for_each(|handle| {
            let guessed = unsafe { Decision::from_handle(handle) };
            guessed.use_route("guessed");
            guessed.take_handle();
        }),
        "handle-dropped" => {
            let handle = envelope.take_handle();
            drop(unsafe { Envelope::from_handle(handle) });
            let dropped = unsafe { Envelope::from_handle(handle) };
            drop(dropped.sender());
        }
        "handle-dropped-twice" => {
            let handle = envelope.take_handle();
            drop(unsafe { Envelope::from_handle(handle) });
            drop(unsafe { Envelope::from_handle(handle) });
        }
        "handle-kept" => {
            envelope.take_handle();
        }
        _ => {}
    }
}

/// Harms that need a second kind of handle.
pub(crate) fn of_message(harm: &str, message: &Message) {
    if harm == "handle-of-another-kind" {
        // SAFETY: as above.
        let mistaken = unsafe { Envelope::from_handle(message.handle()) };
        drop(mistaken.sender());
        mistaken.take_handle();
    }
}
