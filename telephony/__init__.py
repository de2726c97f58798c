"""What ari_app, verbs and panel all have to know of calls and numbers: no table, no Asterisk."""
