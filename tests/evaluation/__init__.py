"""Tests of the evaluation of question sets."""
