"""Reports: facts taken from what happened, the figures made of them, and questions answered from them."""
