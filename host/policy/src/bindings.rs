//! What wasmtime makes of the contract. Generated, and seen by nobody but `host` and `policy`.

wasmtime::component::bindgen!({
    path: "../../wit",
    world: "full-policy",
    imports: { default: trappable },
    exports: { default: async },
    with: {
        "posthouse:policy/envelope.envelope": crate::host::EnvelopeHandle,
        "posthouse:policy/message.message": crate::host::MessageHandle,
        "posthouse:policy/decision.decision": crate::host::DecisionHandle,
        "posthouse:policy/attempt.attempt": crate::host::AttemptHandle,
    },
    require_store_data_send: true,
});
