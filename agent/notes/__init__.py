"""What Rolecall says on a ticket: the words, the mark that makes them ours, and the one comment that holds them."""
