"""How an agent is: heartbeats, starts and stops as files, and one pure function over them."""
