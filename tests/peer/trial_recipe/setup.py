"""The distribution of the recipe that `cargo xtask life-compare` builds with."""
from setuptools import setup

setup(
    name='trial_recipe', version='1', py_modules=['trial_recipe'],
    entry_points={
        'zc.buildout': [
            'default = trial_recipe:Recipe', 'tidy = trial_recipe:Recipe', 'bare = trial_recipe:Bare'],
        'zc.buildout.uninstall': ['tidy = trial_recipe:uninstall'],
    })
