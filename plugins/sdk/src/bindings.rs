//! What wit-bindgen makes of the contract. Nothing is written by hand here, and nothing here is promised to
//! policies: the rest of the crate is.
//!
//! Each hook is a world of its own, so that a policy exports those hooks that it has and no others. What all
//! share is bound once, below. The bindings' paths are relative to this crate's folder.

wit_bindgen::generate!({
    path: "../../wit",
    inline: "package posthouse:sdk;
        world shared { include posthouse:policy/imports@0.1.0; import posthouse:policy/types@0.1.0; }",
    ownership: Borrowing { duplicate_if_necessary: false },
    generate_all,
});

/// The description, which every policy exports.
pub mod description {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "package posthouse:sdk-description;
            world description { export posthouse:policy/policy@0.1.0; }",
        with: { "posthouse:policy/policy@0.1.0": generate },
        default_bindings_module: "posthouse_policy::bindings::description",
        export_macro_name: "export_description",
        pub_export_macro: true,
    });
}

/// The hook for recipients.
pub mod recipient {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "package posthouse:sdk-recipient;
            world recipient-hook { export posthouse:policy/on-recipient@0.1.0; }",
        with: {
            "posthouse:policy/types@0.1.0": crate::bindings::posthouse::policy::types,
            "posthouse:policy/envelope@0.1.0": crate::bindings::posthouse::policy::envelope,
            "posthouse:policy/on-recipient@0.1.0": generate,
        },
        default_bindings_module: "posthouse_policy::bindings::recipient",
        export_macro_name: "export_recipient",
        pub_export_macro: true,
    });
}

/// The hook for messages.
pub mod message {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "package posthouse:sdk-message;
            world message-hook { export posthouse:policy/on-message@0.1.0; }",
        with: {
            "posthouse:policy/types@0.1.0": crate::bindings::posthouse::policy::types,
            "posthouse:policy/envelope@0.1.0": crate::bindings::posthouse::policy::envelope,
            "posthouse:policy/message@0.1.0": crate::bindings::posthouse::policy::message,
            "posthouse:policy/decision@0.1.0": crate::bindings::posthouse::policy::decision,
            "posthouse:policy/on-message@0.1.0": generate,
        },
        default_bindings_module: "posthouse_policy::bindings::message",
        export_macro_name: "export_message",
        pub_export_macro: true,
    });
}

/// The hook for outcomes.
pub mod outcome {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "package posthouse:sdk-outcome;
            world outcome-hook { export posthouse:policy/on-outcome@0.1.0; }",
        with: {
            "posthouse:policy/envelope@0.1.0": crate::bindings::posthouse::policy::envelope,
            "posthouse:policy/attempt@0.1.0": crate::bindings::posthouse::policy::attempt,
            "posthouse:policy/on-outcome@0.1.0": generate,
        },
        default_bindings_module: "posthouse_policy::bindings::outcome",
        export_macro_name: "export_outcome",
        pub_export_macro: true,
    });
}
