//! reply_reader
