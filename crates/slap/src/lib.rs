//! The words of SlapOS: ids, states, documents, parameters; their wire formats; and the client of a master.
