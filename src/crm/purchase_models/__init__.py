"""Buy-till-you-die models: how often will a customer, who may have left unseen, buy again?"""
