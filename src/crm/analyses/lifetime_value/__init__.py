"""What will a customer be worth? Expected purchases and their value over a stated horizon."""
