"""What Rolecall says on a ticket: the words of the note, and the one comment that shows it."""
