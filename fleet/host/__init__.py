"""The agents of this host: started, stopped, looked at; the units of systemd for them."""
